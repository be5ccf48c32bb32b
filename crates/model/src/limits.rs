//! Every limit of the data model, with its unit. `ARCHITECTURE.md` shows the same table.

/// Characters in a person's name.
pub const USER_NAME_CHARS_MAX: usize = 100;
/// Bytes in an e-mail address (RFC 5321 4.5.3.1.3).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Characters in a password, at least (NIST SP 800-63B; ASVS 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Characters in a password, at most; never truncated (ASVS 6.2.8 asks for 64 or more).
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Characters in the name of an organization.
pub const ORG_NAME_CHARS_MAX: usize = 100;
/// Characters in the name of a project.
pub const PROJECT_NAME_CHARS_MAX: usize = 100;
/// Characters in the name of an SDK platform, such as `python`.
pub const PLATFORM_CHARS_MAX: usize = 64;
/// Characters in the label of a client key.
pub const KEY_LABEL_CHARS_MAX: usize = 100;
/// Characters in the name of an API token.
pub const TOKEN_NAME_CHARS_MAX: usize = 100;
/// Bytes in a slug.
pub const SLUG_BYTES_MAX: usize = 50;
/// Slugs that an organization had before and that still lead to it; older ones are forgotten.
pub const OLD_SLUGS_PER_ORG_MAX: u32 = 20;
/// Days in which an organization that was deleted can be taken back (row 37 of the role matrix).
pub const ORG_GRACE_DAYS: i64 = 30;
/// Days in which the deletion of a project can be taken back, as that of an organization.
pub const PROJECT_GRACE_DAYS: i64 = ORG_GRACE_DAYS;
/// Projects in one organization, whatever its plan.
pub const PROJECTS_PER_ORG_MAX: u32 = 10_000;
/// Client keys in one project.
pub const KEYS_PER_PROJECT_MAX: u32 = 50;
/// API tokens of one user.
pub const TOKENS_PER_USER_MAX: u32 = 100;
/// API tokens that one organization has of its own.
pub const TOKENS_PER_ORG_MAX: u32 = 100;
/// Days that an organization's token lives unless its maker says otherwise (row 39).
pub const ORG_TOKEN_DAYS: i64 = 365;
/// Rows in one page of a list.
pub const PAGE_ROWS_MAX: usize = 100;
/// Rows in one page of a list when the caller does not say.
pub const PAGE_ROWS_DEFAULT: usize = 50;
/// Characters in an issue title (`type: value`).
pub const TITLE_CHARS_MAX: usize = 256;
/// Distinct values counted per issue and tag key; the rest is counted under `(other)`.
pub const TAG_VALUES_PER_KEY_MAX: usize = 1_000;
/// Distinct tag keys counted per issue; the rest is not counted.
pub const TAG_KEYS_PER_ISSUE_MAX: usize = 100;
/// Environments listed per project; events of others are kept and counted, but not listed.
pub const ENVIRONMENTS_PER_PROJECT_MAX: usize = 1_000;
/// Bytes in a search query.
pub const SEARCH_BYTES_MAX: usize = 2_000;
/// Terms in a search query.
pub const SEARCH_TERMS_MAX: usize = 50;
/// Days that an invitation can be accepted (rule D-I4).
pub const INVITATION_DAYS: i64 = 7;
/// Invitations that one person sends within an hour, resending included (rule D-I11).
pub const INVITATIONS_PER_USER_HOUR: u32 = 20;
/// Invitations that one organization sends within a day (rule D-I11).
pub const INVITATIONS_PER_ORG_DAY: u32 = 100;
/// Invitations that one address is sent within a day, by whomever (rule D-I11).
pub const INVITATIONS_PER_ADDRESS_DAY: u32 = 3;
