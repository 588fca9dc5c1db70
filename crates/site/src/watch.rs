//! Hot reload: a change on disk becomes a new state of the content; a broken file leaves the last good one.

use crate::{SiteContent, limits};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::{
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
};

/// Watches the content folder until it is dropped.
pub struct Watch {
    // Dropping the watcher closes the channel, which ends the thread.
    _watcher: RecommendedWatcher,
}

/// Starts to watch. `Ok(None)` when the content is the embedded sample, which cannot change.
pub(crate) fn start(content: &Arc<SiteContent>) -> Result<Option<Watch>, notify::Error> {
    let Some(folder) = content.folder() else { return Ok(None) };
    let (sender, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is no change; everything else is worth a look, and a look is cheap.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // The receiver goes away only together with the content.
            let _ = sender.send(());
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    let content = Arc::downgrade(content);
    thread::Builder::new()
        .name("plinth-content".to_owned())
        .spawn(move || follow(&changes, &content))
        .map_err(notify::Error::io)?;
    Ok(Some(Watch { _watcher: watcher }))
}

fn follow(changes: &mpsc::Receiver<()>, content: &Weak<SiteContent>) {
    while changes.recv().is_ok() {
        // An editor's save is several events; the last of them counts.
        loop {
            match changes.recv_timeout(limits::RELOAD_QUIET_FOR) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let Some(content) = content.upgrade() else { return };
        match content.reload() {
            Ok(true) => tracing::info!(version = content.version(), "content reloaded"),
            Ok(false) => {}
            Err(errors) => {
                for fault in &errors.0 {
                    tracing::error!(%fault, "content not reloaded, the last good state stays");
                }
            }
        }
    }
}
