//! A value that must not be written down by accident.

use std::fmt;

/// Wraps a secret so that `{:?}`, a derived `Debug` around it or a serializer cannot print it.
///
/// There is deliberately no `Display`, `Serialize` or `Deref`: every place that uses the value says
/// [`Secret::reveal`], which is what a reviewer searches for.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The caller answers for where it goes.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself, given away.
    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        #[derive(Debug)]
        struct Holder {
            _inner: Option<Secret<String>>,
        }
        let shown = format!("{:?}", Holder { _inner: Some(Secret::new("canary-4711".to_owned())) });
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("[secret]"));
    }
}
