//! What the API server says, for people.

/// The error in words. kube's own text of a refusal has the Debug form of the whole answer in it.
pub fn text(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.reason.is_empty() => status.message.clone(),
        kube::Error::Api(status) => format!("{} ({})", status.message, status.reason),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn a_refusal_is_told_without_its_debug_form() {
        let refused =
            kube::Error::Api(Status::failure("services \"a\" is forbidden", "Forbidden").with_code(403).boxed());
        assert_eq!(text(&refused), "services \"a\" is forbidden (Forbidden)");
        let unnamed = kube::Error::Api(Status::failure("not now", "").boxed());
        assert_eq!(text(&unnamed), "not now");
    }
}
