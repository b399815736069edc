//! The second stage: reads from the cluster everything that the decisions about a server need.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::StatefulSet,
        core::v1::{ConfigMap, Event, Node, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount, ServicePort},
        rbac::v1::{Role, RoleBinding},
    },
};
use kube::{
    Api, Client, Resource,
    api::ListParams,
    core::{DeserializeGuard, ObjectMeta},
};
use safetp_crds::{SafeTPUser, server::ExposureType};
use serde::de::DeserializeOwned;

use super::validate::{CertificateSource, KeySource, Storage, ValidatedServer};
use crate::{
    cluster,
    identity::{LoginName, Namespace, ServerName, Uid, UserName},
    users::logins::{SecretValue, UserRecord},
};

/// Failure to read the cluster.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error("failed to read {kind} {name}: {}", cluster::text(source))]
    Get { kind: String, name: String, source: kube::Error },
    #[error("failed to list {kind}: {}", cluster::text(source))]
    List { kind: String, source: kube::Error },
}

/// The objects of a server as they are in the cluster.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub service: Option<Service>,
    pub stateful_set: Option<StatefulSet>,
    /// The gateway's.
    pub service_account: Option<ServiceAccount>,
    pub role: Option<Role>,
    pub role_binding: Option<RoleBinding>,
    /// `gateway.json`.
    pub config_map: Option<ConfigMap>,
    /// The self-signed certificate.
    pub tls: Option<Secret>,
    /// The CA's certificate, for clients.
    pub ca: Option<Secret>,
    pub ca_key: Option<Secret>,
    /// The DSA key that the operator generated, where the server needs it.
    pub signing_key: Option<Secret>,
    /// `ftpd.json` and `users.json`.
    pub users: Option<Secret>,
    /// The claim that the operator created, or the one that the spec names.
    pub claim: Option<PersistentVolumeClaim>,
}

/// Everything that was read.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    pub live: Live,
    pub pods: Vec<Pod>,
    /// The node of the server's pod, where its address is the server's.
    pub node: Option<Node>,
    /// The users that name the server.
    pub users: Vec<UserRecord>,
    /// The Secrets with their passwords, by name.
    pub secrets: BTreeMap<String, SecretValue>,
    /// The certificate that the user owns.
    pub certificate: Option<Secret>,
    /// The DSA key that the user owns.
    pub signing_key: Option<Secret>,
    /// The node ports of all other Services.
    pub used_node_ports: BTreeSet<u16>,
    /// Reason why the claim is still pending: the provisioner's last event.
    pub claim_trouble: Option<String>,
}

/// Reads everything that concerns a server.
pub async fn gather(client: &Client, server: &ValidatedServer) -> Result<Gathered, GatherError> {
    let reader = Reader { client, namespace: server.names.namespace() };
    let of_server = ListParams::default().labels(&server.names.selector_text());
    let (live, pods, users, certificate, signing_key) = tokio::try_join!(
        reader.live(server),
        reader.list::<Pod>(&of_server),
        reader.users(&server.names.server.name),
        reader.certificate(&server.certificate),
        reader.signing_key(server.signing_key.as_ref()),
    )?;
    let (secrets, node, used_node_ports, claim_trouble) = tokio::try_join!(
        reader.secrets(&users),
        reader.node(server, &pods),
        reader.used_node_ports(server),
        reader.claim_trouble(live.claim.as_ref()),
    )?;
    Ok(Gathered { live, pods, node, users, secrets, certificate, signing_key, used_node_ports, claim_trouble })
}

struct Reader<'a> {
    client: &'a Client,
    namespace: &'a Namespace,
}

impl Reader<'_> {
    async fn live(&self, server: &ValidatedServer) -> Result<Live, GatherError> {
        let names = &server.names;
        let (gateway, claim) = (names.gateway(), claim_name(server));
        let (service_name, set_name) = (names.service(), names.stateful_set());
        let (tls, ca, ca_key, users) = (names.tls(), names.ca(), names.ca_key(), names.users());
        let (service, stateful_set, service_account, role, role_binding, config_map) = tokio::try_join!(
            self.get(&service_name),
            self.get(&set_name),
            self.get(&gateway),
            self.get(&gateway),
            self.get(&gateway),
            self.get(&gateway),
        )?;
        let dsa = matches!(server.signing_key, Some(KeySource::Generated)).then(|| names.dsa());
        let (tls, ca, ca_key, signing_key, users, claim) = tokio::try_join!(
            self.get(&tls),
            self.get(&ca),
            self.get(&ca_key),
            self.get_if(dsa.as_deref()),
            self.get(&users),
            self.get_if(claim.as_deref()),
        )?;
        Ok(Live {
            service,
            stateful_set,
            service_account,
            role,
            role_binding,
            config_map,
            tls,
            ca,
            ca_key,
            signing_key,
            users,
            claim,
        })
    }

    async fn certificate(&self, source: &CertificateSource) -> Result<Option<Secret>, GatherError> {
        match source {
            CertificateSource::SelfSigned => Ok(None),
            CertificateSource::Secret(name) => self.get(name).await,
        }
    }

    async fn signing_key(&self, source: Option<&KeySource>) -> Result<Option<Secret>, GatherError> {
        match source {
            Some(KeySource::Secret(name)) => self.get(name).await,
            Some(KeySource::Generated) | None => Ok(None),
        }
    }

    async fn users(&self, server: &ServerName) -> Result<Vec<UserRecord>, GatherError> {
        // Which servers a user names that does not parse is unknown; its own reconcile reports that.
        let all: Vec<DeserializeGuard<SafeTPUser>> = self.list(&ListParams::default()).await?;
        let readable = all.into_iter().filter_map(|user| user.0.ok());
        let names_it = |user: &SafeTPUser| user.spec.servers.iter().any(|name| name == server.as_str());
        Ok(readable.filter(|user| user.metadata.deletion_timestamp.is_none() && names_it(user)).map(record).collect())
    }

    async fn secrets(&self, users: &[UserRecord]) -> Result<BTreeMap<String, SecretValue>, GatherError> {
        let names: BTreeSet<_> = users.iter().map(|user| user.spec.password_secret_ref.name.clone()).collect();
        let read = |name: String| async move {
            let secret: Option<Secret> = self.get(&name).await?;
            Ok(secret.map(|secret| (name, secret_value(secret))))
        };
        let found: Vec<Option<_>> = stream::iter(names).map(read).buffer_unordered(8).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn node(&self, server: &ValidatedServer, pods: &[Pod]) -> Result<Option<Node>, GatherError> {
        if server.exposure.kind != ExposureType::NodePort || server.exposure.address.is_some() {
            return Ok(None);
        }
        let mut alive = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let Some(name) = alive.find_map(|pod| pod.spec.as_ref()?.node_name.clone()) else { return Ok(None) };
        let source = Api::<Node>::all(self.client.clone()).get_opt(&name).await;
        source.map_err(|source| GatherError::Get { kind: Node::kind(&()).into_owned(), name, source })
    }

    async fn used_node_ports(&self, server: &ValidatedServer) -> Result<BTreeSet<u16>, GatherError> {
        if server.exposure.kind != ExposureType::NodePort {
            return Ok(BTreeSet::new());
        }
        let services = Api::<Service>::all(self.client.clone()).list(&ListParams::default()).await;
        let services =
            services.map_err(|source| GatherError::List { kind: Service::plural(&()).into_owned(), source })?;
        let own = |meta: &ObjectMeta| {
            Namespace::of(meta) == *self.namespace && meta.name.as_ref() == Some(&server.names.service())
        };
        let others = services.items.into_iter().filter(|service| !own(&service.metadata));
        Ok(others.flat_map(|service| node_ports_of(&service)).collect())
    }

    async fn claim_trouble(&self, claim: Option<&PersistentVolumeClaim>) -> Result<Option<String>, GatherError> {
        let pending = |claim: &&PersistentVolumeClaim| {
            claim.status.as_ref().is_none_or(|status| status.phase.as_deref().is_none_or(|phase| phase == "Pending"))
        };
        let Some(name) = claim.filter(pending).and_then(|claim| claim.metadata.name.as_deref()) else {
            return Ok(None);
        };
        let fields = format!("involvedObject.kind=PersistentVolumeClaim,involvedObject.name={name}");
        let mut events: Vec<Event> = self.list(&ListParams::default().fields(&fields)).await?;
        events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
        Ok(Some(events.pop().and_then(|event| event.message).unwrap_or_else(|| "no volume yet".to_owned())))
    }

    async fn get_if<K>(&self, name: Option<&str>) -> Result<Option<K>, GatherError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        match name {
            Some(name) => self.get(name).await,
            None => Ok(None),
        }
    }

    async fn get<K>(&self, name: &str) -> Result<Option<K>, GatherError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let found = Api::<K>::namespaced(self.client.clone(), self.namespace.as_str()).get_opt(name).await;
        found.map_err(|source| GatherError::Get { kind: K::kind(&()).into_owned(), name: name.to_owned(), source })
    }

    async fn list<K>(&self, parameters: &ListParams) -> Result<Vec<K>, GatherError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let found = Api::<K>::namespaced(self.client.clone(), self.namespace.as_str()).list(parameters).await;
        let found = found.map_err(|source| GatherError::List { kind: K::plural(&()).into_owned(), source })?;
        Ok(found.items)
    }
}

/// The claim that a server uses.
pub fn claim_name(server: &ValidatedServer) -> Option<String> {
    match &server.storage {
        Storage::Claim(_) => Some(server.names.claim()),
        Storage::Existing(name) => Some(name.clone()),
        Storage::EmptyDir(_) => None,
    }
}

fn record(user: SafeTPUser) -> UserRecord {
    UserRecord {
        name: UserName::of(&user.metadata),
        login: LoginName::of(&user),
        uid: Uid::of(&user.metadata),
        generation: user.metadata.generation,
        created: user.metadata.creation_timestamp.map(|time| time.0),
        spec: user.spec,
    }
}

fn secret_value(secret: Secret) -> SecretValue {
    SecretValue {
        uid: Uid::of(&secret.metadata),
        resource_version: secret.metadata.resource_version.unwrap_or_default(),
        data: secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect(),
    }
}

fn node_ports_of(service: &Service) -> Vec<u16> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let health = spec.health_check_node_port.and_then(|port| u16::try_from(port).ok());
    spec.ports.iter().flatten().filter_map(node_port).chain(health).collect()
}

/// The node port of a Service's port.
pub fn node_port(port: &ServicePort) -> Option<u16> {
    port.node_port.and_then(|port| u16::try_from(port).ok())
}
