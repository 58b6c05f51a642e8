//! The worker, over a ledger in SQLite: the same for both plugins.

use std::{sync::Arc, time::Duration};

use acceptance::{
    invented_crm::Lost,
    samples::{self, Mapped},
};
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use crm_booking::{Booking, Kind};
use crm_delivery::{
    Acceptance, Arrival, EntryId, Hold, Ledger, MappingKey, Settings, State,
    alerts::Alert,
    upkeep::{Alarm, Upkeep},
    worker::{Installed, Observer, Plugins, Seen, Worker},
};
use crm_delivery_sqlite::{Options, SqliteLedger};
use crm_host::credentials::StoreError;
use crm_store::Key;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use crate::bed::{Bed, PLUGINS, bed};

/// Tells the test that a try ended.
#[derive(Debug)]
struct Ended(mpsc::UnboundedSender<()>);

impl Observer for Ended {
    fn tried(&self, _: &Seen<'_>) {
        // The test may be over.
        let _ = self.0.send(());
    }
}

/// Passes alerts on to the test.
#[derive(Debug)]
struct Told(mpsc::UnboundedSender<&'static str>);

#[async_trait]
impl Alarm for Told {
    async fn raise(&self, alert: &Alert) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.send(alert.name())?)
    }
}

/// One team's connection. Says when it is looked up.
struct OneTeam(Installed, mpsc::UnboundedSender<()>);

impl std::fmt::Debug for OneTeam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTeam")
    }
}

#[async_trait]
impl Plugins for OneTeam {
    async fn find(&self, _: &str, _: &str) -> Result<Option<Installed>, StoreError> {
        // The test may be over.
        let _ = self.1.send(());
        Ok(Some(self.0.clone()))
    }
}

/// A CRM, a ledger and a worker.
struct Delivering {
    bed: Arc<dyn Bed>,
    ledger: SqliteLedger,
    ended: mpsc::UnboundedReceiver<()>,
    told: mpsc::UnboundedReceiver<&'static str>,
    looked_up: mpsc::UnboundedReceiver<()>,
    upkeep: Option<(Upkeep, watch::Receiver<bool>)>,
    stop: watch::Sender<bool>,
    key: MappingKey,
    _folder: TempDir,
}

impl Delivering {
    async fn start(plugin: &str) -> Result<Self> {
        Self::by(plugin, true).await
    }

    /// By the CRM's clock, or by the machine's, which also dates connections.
    async fn by(plugin: &str, crm_clock: bool) -> Result<Self> {
        let bed: Arc<dyn Bed> = Arc::from(bed(plugin).await?);
        let folder = tempfile::tempdir()?;
        let clock = bed.clone();
        let options = Options {
            keys: vec![Key::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")?],
            settings: Settings::default(),
            clock: crm_clock.then_some(Arc::new(move || clock.now())),
            failed: Box::new(|_| {}),
        };
        let ledger = SqliteLedger::serve(folder.path(), options)?;
        let credential = bed.plugin().permissions().manifest().credentials.keys().next().context("one")?.clone();
        let installed =
            Installed { plugin: bed.plugin().clone(), connection: Some(bed.connection().clone()), credential };
        let (send, ended) = mpsc::unbounded_channel();
        let (looks, looked_up) = mpsc::unbounded_channel();
        let plugins = Arc::new(OneTeam(installed, looks));
        let worker = Worker::new(Arc::new(ledger.clone()), plugins.clone(), 4).observe(Arc::new(Ended(send)));
        let (stop, stopped) = watch::channel(false);
        let (tell, told) = mpsc::unbounded_channel();
        let alarms: Vec<Arc<dyn Alarm>> = vec![Arc::new(Told(tell))];
        let upkeep = Upkeep::new(Arc::new(ledger.clone()), plugins, alarms, "a test".to_owned(), worker.waker());
        let upkeep = Some((upkeep, stopped.clone()));
        tokio::spawn(worker.run(stopped));
        let booking = samples::booking()?;
        let key = MappingKey { team: booking.team.id, calendar: booking.calendar.id, integration: plugin.parse()? };
        let Mapped { mapping, .. } = bed.mapped().await?;
        // Without memos: the worker asks for them once.
        ledger.put_mapping(&key, None, &serde_json::to_string(&mapping)?, &[], "a test").await?;
        Ok(Self { bed, ledger, ended, told, looked_up, upkeep, stop, key, _folder: folder })
    }

    async fn accept(&self, booking: Booking) -> Result<EntryId> {
        let arrival = Arrival::new(booking, &[], self.key.integration.clone())?;
        match self.ledger.accept(arrival).await? {
            Acceptance::Accepted(placed) => Ok(placed.first().context("a place")?.id),
            other => anyhow::bail!("{other:?}"),
        }
    }

    /// Waits for the end of a try.
    async fn one_try(&mut self) -> Result<()> {
        tokio::time::timeout(Duration::from_secs(60), self.ended.recv()).await?.context("a worker")
    }

    /// Waits for an alert. The daily check may tell of the connection, too.
    async fn hear(&mut self, alert: &str) -> Result<()> {
        let heard = async {
            while self.told.recv().await.context("upkeep")? != alert {}
            Ok(())
        };
        tokio::time::timeout(Duration::from_secs(60), heard).await?
    }

    async fn state(&self, id: EntryId) -> Result<State> {
        Ok(self.ledger.show(None, id).await?.summary.progress.state)
    }

    fn records(&self) -> usize {
        self.bed.records(self.bed.objects().last().copied().unwrap_or_default()).len()
    }

    /// Lets time pass until the next try is due.
    async fn until_due(&self, id: EntryId) -> Result<()> {
        let due = self.ledger.show(None, id).await?.summary.progress.due;
        let seconds = due.saturating_sub(self.bed.now()).div_ceil(1_000).saturating_add(1);
        self.bed.advance(u32::try_from(seconds)?);
        Ok(())
    }
}

impl Drop for Delivering {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

fn booking(kind: Kind, change: &str) -> Result<Booking> {
    Ok(Booking { kind, change_id: Some(change.to_owned()), changed_at: None, ..samples::booking()? })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_its_move_and_its_cancellation_become_one_record() -> Result<()> {
    for plugin in PLUGINS {
        let mut delivering = Delivering::start(plugin).await?;
        for (kind, change) in [(Kind::Confirmed, "1"), (Kind::Rescheduled, "2"), (Kind::Cancelled, "3")] {
            let id = delivering.accept(booking(kind, change)?).await?;
            delivering.one_try().await?;
            assert_eq!(delivering.state(id).await?, State::Delivered, "{plugin}: {kind:?}");
            assert_eq!(delivering.records(), 1, "{plugin}: {kind:?}");
        }
        let kept = delivering.ledger.mapping(&delivering.key, None).await?.context("a mapping")?;
        assert!(!kept.memos.is_empty(), "{plugin}: the fields were listed once, and are kept");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_becomes_one_record() -> Result<()> {
    for plugin in PLUGINS {
        for lost in [Lost::Before, Lost::After, Lost::Late(20)] {
            let mut delivering = Delivering::start(plugin).await?;
            let object = delivering.bed.objects().last().copied().context("an object")?;
            delivering.bed.lose(object, lost);
            let id = delivering.accept(booking(Kind::Confirmed, "1")?).await?;
            delivering.one_try().await?;
            for _ in 0..10 {
                if delivering.state(id).await?.is_final() {
                    break;
                }
                ensure!(delivering.state(id).await? == State::Waiting, "{plugin}, {lost:?}");
                delivering.until_due(id).await?;
                delivering.one_try().await?;
            }
            assert_eq!(delivering.state(id).await?, State::Delivered, "{plugin}, {lost:?}");
            assert_eq!(delivering.records(), 1, "{plugin}, {lost:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_connection_parks_bookings_until_the_team_connects_again() -> Result<()> {
    for plugin in PLUGINS {
        let mut delivering = Delivering::start(plugin).await?;
        let integration = delivering.key.integration.clone();
        let team = delivering.key.team.clone();
        delivering.ledger.connected(&team, integration.plugin(), "account", false).await?;
        delivering.bed.end_credential();
        let id = delivering.accept(booking(Kind::Confirmed, "1")?).await?;
        delivering.one_try().await?;
        assert_eq!(delivering.state(id).await?, State::Parked, "{plugin}");
        let queues = delivering.ledger.queues().await?;
        assert_eq!(queues.first().context("a queue")?.queue.hold, Some(Hold::NotConnected), "{plugin}");
        delivering.bed.reconnect().await?;
        delivering.ledger.connected(&team, integration.plugin(), "account", false).await?;
        delivering.one_try().await?;
        assert_eq!((delivering.state(id).await?, delivering.records()), (State::Delivered, 1), "{plugin}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upkeep_tells_people_and_goes_on_once_the_team_connected_again_and_not_before() -> Result<()> {
    let patience = Duration::from_secs(60);
    for plugin in PLUGINS {
        let mut delivering = Delivering::by(plugin, false).await?;
        delivering.bed.end_credential();
        let id = delivering.accept(booking(Kind::Confirmed, "1")?).await?;
        delivering.one_try().await?;
        assert_eq!(delivering.state(id).await?, State::Parked, "{plugin}");
        let (upkeep, stopped) = delivering.upkeep.take().context("upkeep")?;
        tokio::spawn(upkeep.run(stopped));
        delivering.hear("began").await?;
        // The worker's look-up, and two rounds of upkeep: the grant may still be stored, but the CRM refuses it.
        for _ in 0..3 {
            tokio::time::timeout(patience, delivering.looked_up.recv()).await?.context("a look-up")?;
        }
        let detail = delivering.ledger.show(None, id).await?;
        assert_eq!((detail.summary.progress.state, detail.attempts.len()), (State::Parked, 1), "{plugin}");
        delivering.bed.reconnect().await?;
        delivering.one_try().await?;
        assert_eq!((delivering.state(id).await?, delivering.records()), (State::Delivered, 1), "{plugin}");
        delivering.hear("recovered").await?;
    }
    Ok(())
}
