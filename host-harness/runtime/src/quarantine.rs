//! Quarantine: no further calls for a plugin whose responses contain the credential again and again. An honest server does it once,
//! on a page for errors; whoever searches for the credential does it often.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::credentials::ConnectionId;

/// Calls of a connection in which a response may contain the credential before the connection gets no further ones.
const MOST_OF_A_CONNECTION: u32 = 3;
/// Connections in quarantine before the plugin gets no further calls at all. One is not enough: its org could be hostile, and must
/// not take the plugin from the other teams.
const MOST_CONNECTIONS: usize = 3;

#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    echoes: Mutex<HashMap<ConnectionId, u32>>,
}

impl Quarantine {
    /// Notes that a response contained the credential. Returns whether that begins a quarantine.
    pub(crate) fn note(&self, connection: &ConnectionId) -> bool {
        let mut echoes = self.echoes.lock().unwrap_or_else(PoisonError::into_inner);
        let of_connection = echoes.entry(connection.clone()).or_default();
        *of_connection = of_connection.saturating_add(1);
        *of_connection == MOST_OF_A_CONNECTION
    }

    /// Whether calls of a connection are refused.
    pub(crate) fn holds(&self, connection: &ConnectionId) -> bool {
        let echoes = self.echoes.lock().unwrap_or_else(PoisonError::into_inner);
        let in_quarantine = |echoes: &u32| *echoes >= MOST_OF_A_CONNECTION;
        echoes.get(connection).is_some_and(in_quarantine)
            || echoes.values().filter(|echoes| in_quarantine(echoes)).count() >= MOST_CONNECTIONS
    }

    pub(crate) fn lift(&self) {
        self.echoes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_in_quarantine_after_three_echoes_and_the_plugin_after_three_connections() {
        let quarantine = Quarantine::default();
        let teams: Vec<_> = (0..4).map(|number| ConnectionId::new(format!("team-{number}"))).collect();
        for (place, team) in teams.iter().take(3).enumerate() {
            for begins in [false, false, true] {
                assert!(!quarantine.holds(team) && !quarantine.holds(&teams[3]), "{place}");
                assert_eq!(quarantine.note(team), begins);
            }
            assert!(quarantine.holds(team));
        }
        assert!(quarantine.holds(&teams[3]));
        quarantine.lift();
        assert!(teams.iter().all(|team| !quarantine.holds(team)));
    }
}
