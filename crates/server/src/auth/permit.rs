//! The actions of the policy as types, so that a handler's signature says what it was opened for.

use copal_model::policy::Action;

/// An action as a type.
pub trait Permit: Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
}

macro_rules! permits {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("[`Action::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl Permit for $name {
            const ACTION: Action = Action::$name;
        }
    )*};
}

permits!(
    ReadOrg,
    ReadIssues,
    ReadRawEvents,
    TriageIssues,
    DeleteIssues,
    WriteProject,
    ReadKeys,
    WriteKeys,
    CreateProject,
    DeleteProject,
    TransferProject,
    ReadMembers,
    ChangeRoles,
    RemoveMembers,
    LeaveOrg,
    TransferOwnership,
    ConvertOrg,
    ReadOrgTokens,
    WriteOrgTokens,
    RevokeMemberTokens,
    WriteOrg,
    ReadUsage,
    DeleteOrg,
);
