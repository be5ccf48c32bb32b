//! What belongs to whom: keys, references, organizations and their owners.

use super::Search;
use crate::Result;
use crate::postgres::list;

pub(super) async fn keys_are_of_their_projects(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select k.id
         from client_keys k
         left join projects p on p.id = k.project_id
         where p.org_id is distinct from k.org_id",
        )
        .await
}

pub(super) async fn references_hold(search: &mut Search<'_>) -> Result<()> {
    let references = list(
        search.tx,
        "select k.conrelid::regclass::text, k.confrelid::regclass::text,
             string_agg(format('p.%I = c.%I', p.attname, c.attname), ' and '),
             string_agg(format('c.%I is not null', c.attname), ' and ')
         from pg_constraint k
         cross join lateral unnest(k.conkey, k.confkey) as n (child, parent)
         join pg_attribute c on c.attrelid = k.conrelid and c.attnum = n.child
         join pg_attribute p on p.attrelid = k.confrelid and p.attnum = n.parent
         where k.contype = 'f'
           and k.connamespace = current_schema()::regnamespace
         group by k.oid
         order by 1, 2",
        &[],
    )
    .await?;
    for reference in references {
        let [child, parent, are_equal, points]: [String; 4] = [
            reference.try_get(0)?,
            reference.try_get(1)?,
            reference.try_get(2)?,
            reference.try_get(3)?,
        ];
        search
            .tell(&format!(
                "select '{child}', '{parent}'
                 from {child} c
                 where {points}
                   and not exists (select 1 from {parent} p where {are_equal})"
            ))
            .await?;
    }
    Ok(())
}

pub(super) async fn organizations_have_owners(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select o.slug
         from organizations o
         where not exists (select 1 from members m where m.org_id = o.id and m.role = 'OWNER')",
        )
        .await
}

pub(super) async fn personal_organizations_are_alone(search: &mut Search<'_>) -> Result<()> {
    search
        .tell(
            "select o.slug
         from organizations o
         join members m on m.org_id = o.id
         where o.personal_user_id is not null
           and m.user_id <> o.personal_user_id",
        )
        .await
}
