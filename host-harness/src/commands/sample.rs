//! What `serve --local-org` brings along: a Salesforce org on this machine, and a team that is connected to it.

use std::{net::SocketAddr, path::Path, sync::Arc};

use crm_delivery::{MappingKey, TeamRow};
use crm_host::{
    credentials::{Asker, ClientRegistration, ConnectRequest, ConnectionId},
    secret::Secret,
};
use jiff::Timestamp;
use salesforce_local_org::{Options, OrgFile, RunningOrg, visitor};

use crate::{
    brokers::Brokers,
    component_file::ComponentFile,
    connection::{host_for, registration},
    databases::Databases,
    error::CliError,
    policy_file::with_test_override,
    ui::Ui,
};

const TEAM: &str = "minato-team";
const CALENDAR: &str = "intro-call";
const MAPPING: &str = include_str!("../../../examples/mapping.json");
/// The booking that README sends.
const BOOKING: &str = "examples/booking.json";
/// Where the org listens, so that its connection is the same after a restart.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 8921);
const STATE: &str = "local-org.json";

/// A running org with a connected team.
pub(super) struct Sample {
    org: RunningOrg,
    databases: Arc<dyn crm_store::Store>,
}

impl Sample {
    /// Starts the org, whose Leads outlive the process, and connects the team to it if it is not.
    pub(super) async fn start(
        ui: &Ui,
        brokers: &Brokers,
        component: &ComponentFile,
        databases: &Databases,
        data: &Path,
    ) -> Result<Self, CliError> {
        let options =
            Options { listen: SocketAddr::from(ADDRESS), store: Some(data.join(STATE)), ..Options::default() };
        let org = salesforce_local_org::serve(OrgFile::enterprise().map_err(of_sample)?, options).await?;
        ui.note(ui.say.org_address(org.org().base_url()));
        let team = TeamRow { id: TEAM.to_owned(), name: "港チーム".to_owned() };
        if databases.ledger.team(TEAM).await?.is_none() {
            databases.ledger.put_team(&team).await?;
        }
        let sample = Self { org, databases: databases.store.clone() };
        let plugin = component.manifest.plugin.id.as_str();
        if databases.store.connection(TEAM, plugin).await?.is_none() {
            sample.connect(brokers, component, data).await?;
        }
        sample.map(databases, plugin).await?;
        Ok(sample)
    }

    /// Goes through the org's pages, as an owner of the team would.
    async fn connect(&self, brokers: &Brokers, component: &ComponentFile, data: &Path) -> Result<(), CliError> {
        let credential = component.credential()?;
        let app = self.org.app();
        let client =
            ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
        let base = self.org.base_url().parse()?;
        let registered = registration(client.clone(), &component.manifest, &credential, [&base]);
        let policy = with_test_override(crm_host::policy::Policy::default(), &component.manifest, &base)?;
        let host = host_for(component, policy, Some(data))
            .secrets(self.databases.connecting(TEAM, Some(client)))
            .registration(component.manifest.plugin.id.clone(), credential.clone(), registered)
            .build()?;
        let plugin = host.load(&component.content).await?;
        brokers.add(plugin.broker());
        let callback = app.redirect_uris.first().ok_or(CliError::IncompleteOrg("a callback URL of its app"))?;
        let browser = Secret::new("this process");
        let pending = plugin.broker().begin(ConnectRequest {
            connection: &ConnectionId::new(TEAM),
            credential: credential.as_str(),
            login_host: self.org.base_url(),
            redirect_uri: callback,
            asker: &Asker::operator(),
            browser: &browser,
        })?;
        let user = self.org.org().file().users.into_iter().next().ok_or(CliError::IncompleteOrg("a user"))?;
        let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
        let query = back.split_once('?').map_or("", |(_, query)| query);
        plugin.broker().finish(pending, query, &browser).await?;
        Ok(())
    }

    /// Saves the example's mapping for the calendar, with the org's field for booking ids.
    async fn map(&self, databases: &Databases, plugin: &str) -> Result<(), CliError> {
        let key = MappingKey { team: TEAM.to_owned(), calendar: CALENDAR.to_owned(), integration: plugin.parse()? };
        if databases.ledger.mapping(&key, None).await?.is_some() {
            return Ok(());
        }
        let mut mapping: serde_json::Value = serde_json::from_str(MAPPING)?;
        let unique = self.org.org().file().fields.into_iter().find(|field| field.external_id && field.unique);
        if let (Some(field), Some(options)) =
            (unique, mapping.get_mut("options").and_then(serde_json::Value::as_object_mut))
        {
            options.insert("booking-id-field".to_owned(), field.name.into());
        }
        databases.ledger.put_mapping(&key, Some(0), &mapping.to_string(), &[], "serve --local-org").await?;
        Ok(())
    }

    /// Says how to send a booking.
    pub(super) async fn explain(&self, ui: &Ui, address: &str) -> Result<(), CliError> {
        let (_, token) = self.databases.create_token(Some(TEAM), "admin", Timestamp::now()).await?;
        let token = token.expose();
        let command = format!(
            "curl -sS {address}/v1/teams/{TEAM}/calendars/{CALENDAR}/bookings \\\n    \
             -H 'authorization: Bearer {token}' -H 'content-type: application/json' --data-binary @{BOOKING}"
        );
        ui.note(ui.say.sample_ready(TEAM, CALENDAR));
        ui.note(format!("\n  {command}\n"));
        ui.note(ui.say.sample_leads(self.org.base_url()));
        ui.json(&serde_json::json!({
            "address": address,
            "team": TEAM,
            "calendar": CALENDAR,
            "token": token,
            "org": self.org.base_url(),
            "org_admin": self.org.admin_url(),
        }))?;
        Ok(())
    }

    pub(super) async fn stop(self) {
        self.org.stop().await;
    }
}

fn of_sample(source: salesforce_local_org::FileError) -> CliError {
    CliError::OrgFile { file: "(default org)".into(), source }
}
