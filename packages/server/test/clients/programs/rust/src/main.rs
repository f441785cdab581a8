//! The official Rust client, driven by lines of JSON: see official-client.ts.
//!
//! Usage: client legacy|modern URL NAME

use std::io::{BufRead, stdin};

use anyhow::{Result, anyhow, bail};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{
    AuthClient, AuthorizationCallback, AuthorizationManager, AuthorizationRequest,
    AuthorizationSession, WWWAuthenticateParams,
};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::{Value, json};

const REDIRECT_URI: &str = "http://127.0.0.1:33418/callback";

/// Waits in a thread of its own: the runtime has to see connections that the server closes meanwhile.
async fn hear() -> Result<Option<Value>> {
    tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let bytes = stdin().lock().read_line(&mut line)?;
        Ok(if bytes == 0 {
            None
        } else {
            Some(serde_json::from_str(&line)?)
        })
    })
    .await?
}

/// Sends the person to an address, and exchanges the code that comes back.
async fn authorize_at(manager: &AuthorizationManager, url: &str) -> Result<()> {
    println!("{}", json!({ "open": url }));
    let returned = hear().await?.ok_or_else(|| anyhow!("no redirect"))?;
    let url = returned["redirect"].as_str().unwrap_or_default();
    let AuthorizationCallback {
        code,
        csrf_token,
        issuer,
        ..
    } = AuthorizationCallback::from_redirect_url(url)?;
    manager
        .exchange_code_for_token_with_issuer(&code, &csrf_token, issuer.as_deref())
        .await?;
    Ok(())
}

/// Discovers, registers and authorizes, as the library does for a client without tokens.
async fn authorize(mut manager: AuthorizationManager, name: &str) -> Result<AuthorizationManager> {
    let resolved = manager.resolve_metadata().await?;
    manager.set_metadata(resolved.metadata);
    let request = AuthorizationRequest::new(REDIRECT_URI)
        .with_client_name(name)
        .with_scopes(["mcp"]);
    let session = AuthorizationSession::new(manager, request)
        .await
        .map_err(|(_, error)| error)?;
    authorize_at(&session.auth_manager, &session.auth_url).await?;
    Ok(session.auth_manager)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let [mode, url, name] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let manager = authorize(AuthorizationManager::new(url.as_str()).await?, &name).await?;
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let authorization = client.auth_manager.clone();
    let transport = StreamableHttpClientTransport::with_client(
        client,
        StreamableHttpClientTransportConfig::with_uri(url.as_str()),
    );
    let lifecycle = match mode.as_str() {
        "legacy" => ClientLifecycleMode::Initialize,
        _ => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
    };
    let service = ().serve_with_lifecycle(transport, lifecycle).await?;
    println!("{}", json!({ "ready": true }));
    while let Some(command) = hear().await? {
        let tool = command["call"].as_str().unwrap_or_default().to_owned();
        let arguments = command["arguments"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = match service.call_tool(params.clone()).await {
            Ok(result) => result,
            Err(error) => {
                let Some(challenge) = error.auth_challenge() else {
                    bail!(error)
                };
                let wanted = WWWAuthenticateParams::parse(challenge, &url.parse()?);
                let manager = authorization.lock().await;
                let to = match wanted.scope {
                    Some(scope) if wanted.error.as_deref() == Some("insufficient_scope") => {
                        manager.request_scope_upgrade(&scope).await?
                    }
                    _ => manager.get_authorization_url(&["mcp"]).await?,
                };
                authorize_at(&manager, &to).await?;
                drop(manager);
                service.call_tool(params).await?
            }
        };
        if result.is_error == Some(true) {
            println!("{}", json!({ "error": json!(result.content).to_string() }));
            continue;
        }
        let (client_id, tokens) = authorization.lock().await.get_credentials().await?;
        let tokens = serde_json::to_value(tokens)?;
        let answer = json!({
            "result": result.structured_content,
            "scope": tokens["scope"],
            "refresh_token": tokens["refresh_token"],
            "client_id": client_id,
        });
        println!("{answer}");
    }
    service.cancel().await?;
    Ok(())
}
