//! What the pod and its two containers can reach: API, mounts, users and confinement.

use anyhow::{Result, ensure};
use safetp_e2e::scenario::Namespace;
use serde_json::{Value, json};

#[test]
fn the_gateways_account_can_read_its_own_service_and_nothing_else() -> Result<()> {
    let namespace = Namespace::new("e2e-privileges")?;
    namespace.server("files", &json!({}))?;
    let rules = |account: &str| -> Result<Vec<String>> {
        let who = format!("--as=system:serviceaccount:{}:{account}", namespace.name());
        let list = namespace.cluster().kubectl(&["auth", "can-i", "--list", "-n", namespace.name(), &who])?;
        Ok(list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    };
    let everyone = rules("default")?;
    let own: Vec<_> = rules("files-gateway")?.into_iter().filter(|rule| !everyone.contains(rule)).collect();
    ensure!(own.len() == 1 && own[0].starts_with("services [] [files] ["), "more than its Service: {own:?}");
    let verbs = own[0].rsplit_once('[').map(|(_, verbs)| verbs.trim_end_matches(']').to_owned()).unwrap_or_default();
    let mut verbs: Vec<_> = verbs.split(' ').collect();
    verbs.sort_unstable();
    ensure!(verbs == ["get", "list", "watch"], "{verbs:?}");
    Ok(())
}

#[test]
fn the_container_with_the_files_has_no_token_no_key_and_no_network() -> Result<()> {
    let namespace = Namespace::new("e2e-shut-in")?;
    namespace.server("files", &json!({}))?;
    let pod = namespace.get("pod files-0-0")?;
    let ftpd = container(&pod, "initContainers", "ftpd");
    let mounts: Vec<_> =
        ftpd["volumeMounts"].as_array().into_iter().flatten().map(|mount| &mount["mountPath"]).collect();
    let secret = ["/var/run/secrets", "/etc/safetp/gateway"];
    let sees =
        |mount: &&&Value| mount.as_str().is_some_and(|path| secret.iter().any(|secret| path.starts_with(secret)));
    ensure!(mounts.iter().find(sees).is_none(), "the ftpd has the mounts {mounts:?}");
    ensure!(pod["spec"]["automountServiceAccountToken"] == false, "a token is mounted automatically");

    // The program applies its own confinement and then tries, inside the real container.
    let check = ["exec", "-n", namespace.name(), "files-0-0", "-c", "ftpd", "--", "/safetp-ftpd", "check", "--shut-in"];
    let tried = namespace.cluster().kubectl(&check)?;
    println!("{tried}");
    for what in ["TCP", "UDP"] {
        ensure!(tried.to_uppercase().contains(what), "{what} was not tried: {tried}");
    }

    let gateway = container(&pod, "containers", "gateway");
    let data = gateway["volumeMounts"].as_array().into_iter().flatten().find(|mount| mount["mountPath"] == "/srv/ftp");
    ensure!(data.is_none(), "the gateway has the files mounted");
    Ok(())
}

#[test]
fn the_container_with_the_keys_runs_as_another_user_and_reaches_no_file_and_no_other_port() -> Result<()> {
    let namespace = Namespace::new("e2e-gateway-shut-in")?;
    namespace.server("files", &json!({}))?;
    let pod = namespace.get("pod files-0-0")?;
    let user = |list: &str, name: &str| container(&pod, list, name)["securityContext"]["runAsUser"].as_i64();
    let (ftpd, gateway) = (user("initContainers", "ftpd"), user("containers", "gateway"));
    ensure!(ftpd.is_some() && gateway.is_some() && ftpd != gateway, "one user for both: {ftpd:?}, {gateway:?}");

    let inside = ["exec", "-n", namespace.name(), "files-0-0", "-c", "gateway", "--", "/safetp-sidecar"];
    let tried = namespace.cluster().kubectl(&[&inside[..], &["check", "--shut-in"]].concat())?;
    println!("{tried}");
    for what in ["another program", "a new file", "a descriptor for reading opened again for writing"] {
        ensure!(tried.contains(&format!("{what}: refused")), "{what}: {tried}");
    }
    // A condition on the server reports what the kernel of the nodes lacks; there is none where it lacks nothing.
    let server = namespace.get("safetpserver files")?;
    let conditions = server["status"]["conditions"].as_array().into_iter().flatten();
    let said = conditions.filter(|condition| condition["type"] == "Confinement").count();
    ensure!((said == 0) == tried.contains("landlock: Full"), "{said} conditions with {tried}");
    Ok(())
}

fn container<'a>(pod: &'a Value, list: &str, name: &str) -> &'a Value {
    let all = pod["spec"][list].as_array().into_iter().flatten();
    all.into_iter().find(|container| container["name"] == name).unwrap_or(&Value::Null)
}
