//! The two controllers, and the watches that map each event to the resources that must be reconciled.

use std::{collections::BTreeSet, sync::Arc};

use futures::{Stream, StreamExt as _};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::StatefulSet,
        core::v1::{ConfigMap, Node, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount},
        rbac::v1::{Role, RoleBinding},
    },
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        Controller,
        controller::Config as ControllerConfig,
        reflector::{ObjectRef, Store},
        watcher::Config,
    },
};
use safetp_crds::{SafeTPServer, SafeTPUser, server::ExposureType};
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    identity::{Namespace, ServerName, UserName},
    names::{MANAGED_SELECTOR, SERVER_LABEL},
    registry::UserRef,
    server, users,
};

/// Maximum number of concurrent reconciles of a controller: at a start, a thousand servers must not send a thousand
/// times fifteen requests at once.
const CONCURRENCY: u16 = 24;

type Guarded<K> = DeserializeGuard<K>;
type ServerRef = ObjectRef<Guarded<SafeTPServer>>;
type Meta<K> = PartialObjectMeta<K>;

/// Runs both controllers until `stop`; reconciles that have begun are finished.
pub async fn run(
    context: Arc<Context>,
    touched_users: impl Stream<Item = UserRef> + Send + 'static,
    stop: CancellationToken,
) {
    let client = context.client.clone();
    let users = Controller::new(Api::<Guarded<SafeTPUser>>::all(client.clone()), Config::default());
    let servers = Controller::new(Api::<Guarded<SafeTPServer>>::all(client.clone()), Config::default());
    let watch = Watch { context: context.clone(), servers: servers.store(), users: users.store() };
    let servers = watch_everything(servers, &client, &Arc::new(watch));
    let users = watch_servers(users, client).reconcile_on(touched_users);
    let servers = servers
        .with_config(ControllerConfig::default().concurrency(CONCURRENCY))
        .graceful_shutdown_on(stop.clone().cancelled_owned())
        .run(server::reconcile, server::error_policy, context.clone())
        .for_each(|_| std::future::ready(()));
    let users = users
        .with_config(ControllerConfig::default().concurrency(CONCURRENCY))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(users::reconcile, users::error_policy, context)
        .for_each(|_| std::future::ready(()));
    tokio::join!(servers, users);
}

fn watch_everything(
    controller: Controller<Guarded<SafeTPServer>>,
    client: &Client,
    watch: &Arc<Watch>,
) -> Controller<Guarded<SafeTPServer>> {
    let managed = || Config::default().labels(MANAGED_SELECTOR);
    let all = Config::default;
    controller
        .owns(Api::<Service>::all(client.clone()), managed())
        .owns(Api::<StatefulSet>::all(client.clone()), managed())
        .owns(Api::<ConfigMap>::all(client.clone()), managed())
        .owns(Api::<ServiceAccount>::all(client.clone()), managed())
        .owns(Api::<Role>::all(client.clone()), managed())
        .owns(Api::<RoleBinding>::all(client.clone()), managed())
        .watches(Api::<Meta<Pod>>::all(client.clone()), managed(), |pod| labelled(&pod))
        .watches(Api::<Meta<PersistentVolumeClaim>>::all(client.clone()), all(), mapped(watch, Watch::of_claim))
        .watches(Api::<Meta<Secret>>::all(client.clone()), all(), mapped(watch, Watch::of_secret))
        .watches(Api::<Meta<Node>>::all(client.clone()), all(), mapped(watch, |watch, _| watch.on_nodes()))
        .watches(Api::<Guarded<SafeTPUser>>::all(client.clone()), all(), mapped(watch, Watch::of_user))
}

fn watch_servers(controller: Controller<Guarded<SafeTPUser>>, client: Client) -> Controller<Guarded<SafeTPUser>> {
    let store = controller.store();
    let users_of = move |server: Meta<SafeTPServer>| {
        let (namespace, name) = (server.namespace(), server.name_any());
        let named = |user: &Guarded<SafeTPUser>| {
            let names_it = |user: &SafeTPUser| user.spec.servers.contains(&name);
            user.namespace() == namespace && user.0.as_ref().is_ok_and(names_it)
        };
        let users: Vec<_> =
            store.state().iter().filter(|user| named(user)).map(|user| ObjectRef::from_obj(&**user)).collect();
        users
    };
    controller.watches(Api::<Meta<SafeTPServer>>::all(client), Config::default(), users_of)
}

/// Maps an event to the servers that it concerns.
struct Watch {
    context: Arc<Context>,
    servers: Store<Guarded<SafeTPServer>>,
    users: Store<Guarded<SafeTPUser>>,
}

fn mapped<K>(
    watch: &Arc<Watch>,
    map: impl Fn(&Watch, &K) -> Vec<ServerRef> + Send + Sync + 'static,
) -> impl Fn(K) -> Vec<ServerRef> + Send + Sync + 'static {
    let watch = watch.clone();
    move |object| map(&watch, &object)
}

/// Returns the server whose label an object carries.
fn labelled<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(object: &Meta<K>) -> Option<ServerRef> {
    let server = object.labels().get(SERVER_LABEL)?;
    Some(ServerRef::new(server).within(&object.namespace()?))
}

impl Watch {
    fn of_claim(&self, claim: &Meta<PersistentVolumeClaim>) -> Vec<ServerRef> {
        let name = claim.name_any();
        let uses = |server: &SafeTPServer| server.spec.backend.embedded.existing_claim.as_ref() == Some(&name);
        labelled(claim).into_iter().chain(self.servers_where(claim.namespace().as_deref(), uses)).collect()
    }

    /// A Secret may be created for a server, or hold a certificate, a DSA key or a password that a resource refers to.
    fn of_secret(&self, secret: &Meta<Secret>) -> Vec<ServerRef> {
        let (namespace, name) = (secret.namespace(), secret.name_any());
        let shown = |server: &SafeTPServer| {
            let security = &server.spec.security;
            let named = [&security.certificate.secret_ref, &security.x_safetp1.key_secret_ref];
            named.into_iter().flatten().any(|secret| secret.name == name)
        };
        let users = self.users.state();
        let of_passwords = users
            .iter()
            .filter_map(|user| user.0.as_ref().ok())
            .filter(|user| user.namespace() == namespace && user.spec.password_secret_ref.name == name);
        let servers: BTreeSet<_> = of_passwords.flat_map(|user| user.spec.servers.clone()).collect();
        let of_passwords =
            servers.iter().map(|server| ServerRef::new(server).within(&namespace.clone().unwrap_or_default()));
        labelled(secret)
            .into_iter()
            .chain(self.servers_where(namespace.as_deref(), shown))
            .chain(of_passwords)
            .collect()
    }

    /// The servers that a user names, and those that still have its login although it no longer names them.
    fn of_user(&self, user: &Guarded<SafeTPUser>) -> Vec<ServerRef> {
        let namespace = Namespace::of(user.meta());
        let named = user.0.as_ref().map(|user| user.spec.servers.as_slice()).unwrap_or_default();
        let had = self.context.registry.servers_with(&namespace, &UserName::of(user.meta()));
        let servers: BTreeSet<_> = named.iter().map(|name| ServerName::from(name.as_str())).chain(had).collect();
        servers.iter().map(|server| ServerRef::new(server.as_str()).within(namespace.as_str())).collect()
    }

    fn on_nodes(&self) -> Vec<ServerRef> {
        let uses = |server: &SafeTPServer| server.spec.exposure.kind == ExposureType::NodePort;
        let all = self.servers.state();
        let matching = all.iter().filter(|server| server.0.as_ref().is_ok_and(uses));
        matching.map(|server| ObjectRef::from_obj(&**server)).collect()
    }

    fn servers_where(&self, namespace: Option<&str>, uses: impl Fn(&SafeTPServer) -> bool) -> Vec<ServerRef> {
        let all = self.servers.state();
        let here = all.iter().filter(|server| server.namespace().as_deref() == namespace);
        let matching = here.filter(|server| server.0.as_ref().is_ok_and(&uses));
        matching.map(|server| ObjectRef::from_obj(&**server)).collect()
    }
}
