//! Errors of the API server in words that people can read.

/// Describes an error. kube's own text of a rejection contains the Debug form of the whole response.
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
    fn a_rejection_is_described_without_its_debug_form() {
        let refused =
            kube::Error::Api(Status::failure("services \"a\" is forbidden", "Forbidden").with_code(403).boxed());
        assert_eq!(text(&refused), "services \"a\" is forbidden (Forbidden)");
        let unnamed = kube::Error::Api(Status::failure("not now", "").boxed());
        assert_eq!(text(&unnamed), "not now");
    }
}
