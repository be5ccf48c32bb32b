-- Facts about the whole store, such as the digest of its schema.
create table meta (
    key text primary key,
    value text not null
) strict, without rowid;
