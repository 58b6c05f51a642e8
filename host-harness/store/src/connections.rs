//! The connections of teams. Nothing here is secret.

use crm_host::{
    credentials::{ConnectionId, StoreError},
    origin::Origin,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use crate::sqlite_store::{SqliteStore, unavailable};

/// A team's connection for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamConnection {
    /// The team's name.
    pub team: String,
    /// Id of the plugin, as in its manifest.
    pub plugin: String,
    /// Id of the connection, under which its grants are stored.
    pub connection: ConnectionId,
    /// Where the person logged in, or the origin that their API key is for.
    pub login_host: Origin,
    /// Id of the connected account at the provider, if known: an org id, for example.
    pub account_id: Option<String>,
    /// When it was connected.
    pub connected_at: Timestamp,
}

const COLUMNS: &str = "team, plugin, connection, login_host, account_id, connected_at";

impl SqliteStore {
    /// Writes a team's connection, replacing an earlier one for the same plugin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_connection(&self, connection: TeamConnection) -> Result<(), StoreError> {
        self.with(move |database, _| {
            database
                .execute(
                    &format!("INSERT OR REPLACE INTO team_connections ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
                    params![
                        connection.team,
                        connection.plugin,
                        connection.connection.as_str(),
                        connection.login_host.to_string(),
                        connection.account_id,
                        connection.connected_at.to_string(),
                    ],
                )
                .map_err(unavailable)?;
            Ok(())
        })
        .await
    }

    /// A team's connection for a plugin.
    ///
    /// # Errors
    /// When the store fails, or the row is damaged.
    pub async fn connection(&self, team: &str, plugin: &str) -> Result<Option<TeamConnection>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.with(move |database, _| {
            database
                .query_row(
                    &format!("SELECT {COLUMNS} FROM team_connections WHERE team = ?1 AND plugin = ?2"),
                    [team, plugin],
                    columns,
                )
                .optional()
                .map_err(unavailable)?
                .map(TryInto::try_into)
                .transpose()
        })
        .await
    }

    /// All connections, ordered by team.
    ///
    /// # Errors
    /// When the store fails, or a row is damaged.
    pub async fn connections(&self) -> Result<Vec<TeamConnection>, StoreError> {
        self.with(move |database, _| {
            let mut select = database
                .prepare(&format!("SELECT {COLUMNS} FROM team_connections ORDER BY team, plugin"))
                .map_err(unavailable)?;
            let rows = select.query_map([], columns).map_err(unavailable)?;
            rows.map(|row| row.map_err(unavailable)?.try_into()).collect()
        })
        .await
    }

    /// Removes a team's connection for a plugin with its memos, and returns whether there was one. The broker must remove its
    /// grants before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_connection(&self, team: &str, plugin: &str) -> Result<bool, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.with(move |database, _| {
            let transaction = database.transaction().map_err(unavailable)?;
            let of_team = "SELECT connection FROM team_connections WHERE team = ?1 AND plugin = ?2";
            transaction
                .execute(&format!("DELETE FROM memos WHERE connection IN ({of_team})"), [&team, &plugin])
                .map_err(unavailable)?;
            let removed = transaction
                .execute("DELETE FROM team_connections WHERE team = ?1 AND plugin = ?2", [team, plugin])
                .map_err(unavailable)?;
            transaction.commit().map_err(unavailable)?;
            Ok(removed > 0)
        })
        .await
    }
}

/// A row of the table.
struct Columns {
    team: String,
    plugin: String,
    connection: String,
    login_host: String,
    account_id: Option<String>,
    connected_at: String,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok(Columns {
        team: row.get(0)?,
        plugin: row.get(1)?,
        connection: row.get(2)?,
        login_host: row.get(3)?,
        account_id: row.get(4)?,
        connected_at: row.get(5)?,
    })
}

impl TryFrom<Columns> for TeamConnection {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let damaged =
            |column: &str| StoreError::Unreadable(format!("the connection of team `{}`: `{column}`", row.team));
        Ok(Self {
            login_host: row.login_host.parse().map_err(|_| damaged("login_host"))?,
            connected_at: row.connected_at.parse().map_err(|_| damaged("connected_at"))?,
            connection: ConnectionId::new(row.connection),
            plugin: row.plugin,
            account_id: row.account_id,
            team: row.team,
        })
    }
}
