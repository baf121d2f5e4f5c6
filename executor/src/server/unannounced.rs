//! A node that takes calls and is announced nowhere, for tests and measurements of what executors do for each other.

use super::*;

/// Serves at `listener` for as long as the runtime lives; the node is named after its address.
pub(crate) async fn serve_unannounced(
    config: NodeConfig,
    trust: Trust,
    listener: TcpListener,
    data: Handle,
    events: mpsc::Sender<AttemptEvent>,
) -> Result<(crate::Node, Arc<Host>)> {
    let address = listener.local_addr().map_err(|e| Error::internal("nobody listens").because(e))?;
    let url = format!("{}://{address}", trust.scheme());
    let url = Url::parse(&url).map_err(|e| Error::internal(format!("`{url}` is no address")).because(e))?;
    let host = Arc::new(Host::new(ExecutorId::new(url.as_str()), url, trust.clone(), Handle::current()));
    let surroundings = Surroundings::new(config.clone(), data.clone(), Some(Arc::clone(&host)));
    let node = crate::Node::start_in(surroundings, events).await?;
    let (desk, gate) = (Arc::new(Desk::new(ABSENCE_LIMIT)), Gate::new(trust.key.clone()));
    let asked = CancellationToken::new();
    let services = Services::new(&host, &node, Here::new(config, data.clone()), &desk, data, asked, &gate);
    tokio::spawn(listen(services, gate, trust, listener, CancellationToken::new()));
    Ok((node, host))
}
