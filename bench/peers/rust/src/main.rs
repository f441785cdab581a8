//! The official Rust SDK as its documentation shows it: stateless, answers in JSON.

use rmcp::{
    Json, ServerHandler,
    handler::server::{
        router::tool::{ToolRoute, ToolRouter},
        wrapper::Parameters,
    },
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Text {
    text: String,
}

#[derive(Clone)]
struct Echo {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Echo {
    /// `echo` among so many: the others do the same under other names.
    fn new(count: usize) -> Self {
        let mut tool_router = Self::tool_router();
        for index in (0..count).filter(|index| *index != count / 2) {
            let mut tool = Self::echo_tool_attr();
            tool.name = format!("tool_{index}").into();
            tool_router.add_route(ToolRoute::new(tool, Self::echo));
        }
        Self { tool_router }
    }

    #[tool(description = "Returns its text.")]
    async fn echo(&self, Parameters(input): Parameters<Text>) -> Json<Text> {
        Json(input)
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Echo {}

/// Arguments: the port, and how many tools there are.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let echo = Echo::new(arguments[2].parse()?);
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = false;
    config.json_response = true;
    let manager = NeverSessionManager::default();
    let service =
        StreamableHttpService::new(move || Ok(echo.clone()), manager.into(), config);
    let router = axum::Router::new().nest_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", arguments[1])).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
