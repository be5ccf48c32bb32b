//! What belongs to whom: keys, references, organizations and their owners.

use super::Search;
use crate::Result;

pub(super) fn keys_are_of_their_projects(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select k.id
         from client_keys k
         left join projects p on p.id = k.project_id
         where p.org_id is distinct from k.org_id",
    )
}

pub(super) fn references_hold(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select \"table\", parent
         from pragma_foreign_key_check",
    )
}

pub(super) fn organizations_have_owners(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select o.slug
         from organizations o
         where not exists (select 1 from members m where m.org_id = o.id and m.role = 'OWNER')",
    )
}

pub(super) fn personal_organizations_are_alone(search: &mut Search<'_>) -> Result<()> {
    search.tell(
        "select o.slug
         from organizations o
         join members m on m.org_id = o.id
         where o.personal_user_id is not null
           and m.user_id <> o.personal_user_id",
    )
}
