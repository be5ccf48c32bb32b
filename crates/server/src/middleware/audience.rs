//! Whom an answer is for: that decides its headers and the shape of its errors.

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// An SDK; from any origin, told in the way SDKs expect.
    Sdk,
    /// A program that uses the REST API.
    Api,
    /// A person's browser, or an operator.
    Page,
}

impl Audience {
    /// Decides by the (mended) path.
    pub fn of(path: &str) -> Self {
        let Some(below_api) = path.strip_prefix("/api/") else {
            return if path.trim_end_matches('/') == "/tunnel" {
                Self::Sdk
            } else {
                Self::Page
            };
        };
        match below_api.trim_end_matches('/') {
            // The API's documentation is a page for people.
            "v1/docs" => Self::Page,
            "v1" => Self::Api,
            below if below.starts_with("v1/") => Self::Api,
            _ => Self::Sdk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Audience::{self, Api, Page, Sdk};

    #[test]
    fn the_path_decides() {
        let cases = [
            ("/api/1/envelope/", Sdk),
            ("/api/store/", Sdk),
            ("/api/nonsense/store", Sdk),
            ("/tunnel", Sdk),
            ("/tunnel/", Sdk),
            ("/api/v1/organizations", Api),
            ("/api/v1", Api),
            ("/api/v1/docs", Page),
            ("/api/v10/store", Sdk),
            ("/o/shop/issues", Page),
            ("/", Page),
            ("/healthz", Page),
        ];
        for (path, expected) in cases {
            assert_eq!(Audience::of(path), expected, "{path}");
        }
    }
}
