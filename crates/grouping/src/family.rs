//! Platform families: languages whose frames are read alike.

/// How the frames of a platform are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Compiled code with symbols: C, Objective-C, Swift, Rust.
    Native,
    /// JavaScript in browsers and on Node.
    JavaScript,
    /// Everything else.
    Other,
}

impl Family {
    /// The family of an SDK platform.
    pub fn of(platform: &str) -> Self {
        match platform {
            "objc" | "cocoa" | "swift" | "native" | "c" => Self::Native,
            "javascript" | "node" => Self::JavaScript,
            _ => Self::Other,
        }
    }

    /// The name in rules; `all` is a rule's word for any family.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "native" => Some(Self::Native),
            "javascript" => Some(Self::JavaScript),
            "other" => Some(Self::Other),
            _ => None,
        }
    }
}
