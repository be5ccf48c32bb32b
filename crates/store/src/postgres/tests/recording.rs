//! Recording by several processes, and by one that is interrupted.

use super::*;
use crate::events::Events;

#[tokio::test]
async fn smoke() {
    let Some(database) = Database::make().await else {
        return;
    };
    let store = database.open("a").await;
    assert_eq!(
        record(&store, 1, vec![event(1, 1), event(1, 1), event(2, 1)]).await,
        [
            Disposition::New,
            Disposition::Duplicate,
            Disposition::Joined
        ]
    );
    assert_eq!(
        record(&store, 2, vec![event(1, 1), event(3, 1)]).await,
        [Disposition::Duplicate, Disposition::Joined]
    );
    let found = store
        .find_event(&shop(), event(3, 1).event_id)
        .await
        .unwrap();
    assert_eq!(found.unwrap().payload, event(3, 1).payload);
}
