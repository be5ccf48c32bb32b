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
    /// How many there are.
    pub(crate) const COUNT: usize = 3;
    /// All of them, in order.
    pub(crate) const ALL: [Self; Self::COUNT] = [Self::Native, Self::JavaScript, Self::Other];

    /// The family of an SDK platform.
    pub fn of(platform: &str) -> Self {
        match platform {
            "objc" | "cocoa" | "swift" | "native" | "c" => Self::Native,
            "javascript" | "node" => Self::JavaScript,
            _ => Self::Other,
        }
    }

    /// Its name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::JavaScript => "javascript",
            Self::Other => "other",
        }
    }

    /// The family of a name in rules.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}
