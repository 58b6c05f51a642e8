//! What is sealed in a row. The rest of each thing is the name of its row.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use crm_host::{
    credentials::{
        ClientRegistration, ConnectionId, Generation, Grant, GrantKey, GrantState, Pending, StoreError, Stored,
    },
    origin::Origin,
    secret::Secret,
};
use crm_seal::SealError;
use jiff::Timestamp;
use rand::{TryRng, rngs::SysRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::table::{Opened, not_sealed};

/// Serializes what is about to be sealed. Large from the start: a growing buffer leaves copies of its bytes behind.
fn to_json(content: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(1 << 14));
    serde_json::to_writer(&mut *plain, content).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(plain)
}

pub(crate) fn number(generation: Generation) -> Result<i64, StoreError> {
    i64::try_from(generation.0).map_err(|_| StoreError::Conflict)
}

pub(crate) fn generation(number: i64) -> Result<Generation, StoreError> {
    u64::try_from(number).map(Generation).map_err(|_| StoreError::Conflict)
}

pub(crate) fn seal_grant(state: &GrantState) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    state.to_plaintext().map_err(|error| StoreError::Unreadable(error.to_string()))
}

pub(crate) fn grant(Opened { generation: number, plain }: Opened) -> Result<Stored, StoreError> {
    let state = GrantState::from_plaintext(&plain).map_err(|error| StoreError::Unreadable(error.to_string()))?;
    Ok(Stored { state, generation: generation(number)? })
}

/// Whether a grant has certainly ended. One that cannot be opened may be valid.
pub(crate) fn has_ended(opened: Result<Opened, StoreError>) -> Result<bool, StoreError> {
    match opened.and_then(grant) {
        Ok(stored) => Ok(matches!(stored.state, GrantState::Ended(_))),
        Err(StoreError::Unreadable(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A client. It borrows the secret, so that writing makes only the copy that is sealed.
#[derive(Serialize)]
struct WrittenClient<'a> {
    id: &'a str,
    secret: Option<&'a str>,
}

#[derive(Deserialize)]
struct ReadClient {
    id: String,
    secret: Option<String>,
}

pub(crate) fn seal_client(client: &ClientRegistration) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    to_json(&WrittenClient { id: &client.client_id, secret: client.client_secret.as_ref().map(Secret::expose) })
}

pub(crate) fn client(key: &GrantKey, Opened { plain, .. }: &Opened) -> Result<ClientRegistration, StoreError> {
    let ReadClient { id, secret } = serde_json::from_slice(plain)
        .map_err(|_| StoreError::Unreadable(format!("the client of connection `{}`; connect again", key.connection)))?;
    Ok(ClientRegistration { client_id: id, client_secret: secret.map(Secret::new) })
}

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
    /// When it was connected.
    pub connected_at: Timestamp,
}

/// Not secret, but nobody else must change which account a team is connected to.
#[derive(Serialize, Deserialize)]
struct TeamContent {
    login_host: Origin,
    connected_at: Timestamp,
}

pub(crate) fn seal_team(grant: &Grant) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    to_json(&TeamContent { login_host: grant.login_host().clone(), connected_at: grant.connected_at() })
}

pub(crate) fn team(
    [team, plugin, connection]: [String; 3],
    Opened { plain, .. }: &Opened,
) -> Result<TeamConnection, StoreError> {
    let TeamContent { login_host, connected_at } = serde_json::from_slice(plain)
        .map_err(|_| StoreError::Unreadable(format!("the connection of team `{team}`; connect again")))?;
    Ok(TeamConnection { team, plugin, connection: ConnectionId::new(connection), login_host, connected_at })
}

pub(crate) fn seal_pending(pending: &Pending) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let secret = pending.to_secret().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(Zeroizing::new(secret.expose().as_bytes().to_vec()))
}

pub(crate) fn pending(Opened { mut plain, .. }: Opened) -> Result<Pending, StoreError> {
    let damaged = || StoreError::Unreadable("a pending connection; connect again".to_owned());
    let text = String::from_utf8(std::mem::take(&mut *plain)).map_err(|_| damaged())?;
    Pending::from_secret(&Secret::new(text)).map_err(|_| damaged())
}

/// The name of a pending connection's row: a reader of the database does not learn the `state`, with which a callback is accepted.
/// It has too many bits to be guessed, so the hash needs neither salt nor stretching.
pub(crate) fn state_hash(state: &Secret) -> String {
    hash(state.expose())
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// A token of the HTTP API, without its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiToken {
    /// Identifies the token; not secret.
    pub id: String,
    /// The team that it acts for, or `None` for an operator's.
    pub team: Option<String>,
    /// What it permits, in the API's own words.
    pub scope: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last four characters of its text, by which people recognize it.
    pub last_four: String,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

pub(crate) fn seal_secrets(secrets: &[Secret]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    to_json(&secrets.iter().map(Secret::expose).collect::<Vec<_>>())
}

pub(crate) fn secrets(Opened { plain, .. }: &Opened) -> Result<Vec<Secret>, StoreError> {
    let texts: Vec<String> = serde_json::from_slice(plain)
        .map_err(|_| StoreError::Unreadable("the secrets of a hook; set them again".to_owned()))?;
    Ok(texts.into_iter().map(Secret::new).collect())
}

/// Begins the text of every token, so that scanners for leaked secrets can find it.
const TOKEN_PREFIX: &str = "crm_";

/// A token's row. It is sealed although it is not secret: who can write the database must not be able to add one.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenContent {
    team: Option<String>,
    scope: String,
    created_at: Timestamp,
    last_four: String,
    pub(crate) revoked_at: Option<Timestamp>,
}

impl TokenContent {
    pub(crate) fn read(Opened { plain, .. }: &Opened) -> Result<Self, StoreError> {
        serde_json::from_slice(plain).map_err(|_| StoreError::Unreadable("an API token; make another token".to_owned()))
    }

    pub(crate) fn seal(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        to_json(self)
    }

    pub(crate) fn with_id(self, id: String) -> ApiToken {
        let Self { team, scope, created_at, last_four, revoked_at } = self;
        ApiToken { id, team, scope, created_at, last_four, revoked_at }
    }
}

/// A new token.
pub(crate) struct NewToken {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) text: Secret,
    pub(crate) content: TokenContent,
}

impl NewToken {
    pub(crate) fn new(team: Option<&str>, scope: &str, now: Timestamp) -> Result<Self, StoreError> {
        let text = Secret::new(format!("{TOKEN_PREFIX}{}", random_text::<32>()?));
        let last_four = text.expose().len().checked_sub(4).and_then(|start| text.expose().get(start..));
        let last_four = last_four.unwrap_or_default().to_owned();
        let content = TokenContent {
            team: team.map(str::to_owned),
            scope: scope.to_owned(),
            created_at: now,
            last_four,
            revoked_at: None,
        };
        Ok(Self { id: random_text::<9>()?, hash: token_hash(&text), text, content })
    }

    /// The token as it is listed, and its text.
    pub(crate) fn listed(self) -> (ApiToken, Secret) {
        (self.content.with_id(self.id), self.text)
    }
}

/// The hash by which a token is found. A token has 256 random bits, so a plain hash is right: a slow one protects guessable
/// passwords, and finding a row by hash leaks nothing through its time.
pub(crate) fn token_hash(text: &Secret) -> String {
    hash(text.expose())
}

fn random_text<const BYTES: usize>() -> Result<String, StoreError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(|_| not_sealed(SealError))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}
