//! How it goes with a peer, in a word.

use std::time::Duration;

use super::PeerStatus;

/// The age from which on a session is not used any more, and one that is in use would have been renewed long ago
/// (`REJECT_AFTER_TIME` in the WireGuard paper).
const REJECT_AFTER_TIME: Duration = Duration::from_mins(3);

/// How it goes with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Whether there is a session.
    pub activity: Activity,
    /// Whether there is something to send to it, and it does not answer.
    pub is_stale: bool,
}

/// Whether a peer has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// The last handshake is less than three minutes old.
    Online,
    /// There was one before.
    Idle,
    /// There never was one.
    Never,
}

impl Activity {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Idle => "idle",
            Self::Never => "never",
        }
    }
}

impl Session {
    /// How it goes with a peer at that time, by the host's clock since the epoch.
    ///
    /// A handshake in the future is as old as it is far away: the clock was set. To a peer with a persistent keepalive there is
    /// always something to send, so that one without a session does not answer; and so it is with one that was never heard of
    /// and has been sent something, which can only be handshakes.
    pub fn of(peer: &PeerStatus, now: Duration) -> Self {
        let activity = match peer.last_handshake {
            Some(last) if now.abs_diff(last) < REJECT_AFTER_TIME => Activity::Online,
            Some(_) => Activity::Idle,
            None => Activity::Never,
        };
        let is_sent_to = peer.endpoint.is_some()
            && match activity {
                Activity::Online => false,
                Activity::Idle => peer.persistent_keepalive.is_some(),
                Activity::Never => peer.persistent_keepalive.is_some() || peer.tx_bytes > 0,
            };
        Self {
            activity,
            is_stale: is_sent_to,
        }
    }

    /// As [`Self::of`], of a peer that has been sent `tx_bytes` some time before: one without a session that has been sent more
    /// since does not answer.
    pub fn since(peer: &PeerStatus, now: Duration, tx_bytes: u64) -> Self {
        let session = Self::of(peer, now);
        let is_tried = session.activity != Activity::Online && peer.tx_bytes > tx_bytes;
        Self {
            is_stale: session.is_stale || is_tried,
            ..session
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PublicKey;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn peer(age: Option<u64>, keepalive: bool) -> PeerStatus {
        PeerStatus {
            last_handshake: age.map(|age| NOW.saturating_sub(Duration::from_secs(age))),
            persistent_keepalive: keepalive.then_some(25),
            endpoint: Some("192.0.2.1:1".parse().unwrap()),
            ..PeerStatus::new(PublicKey([1; 32]))
        }
    }

    #[test]
    fn a_peer_is_online_for_three_minutes() {
        for (age, activity) in [
            (Some(0), Activity::Online),
            (Some(179), Activity::Online),
            (Some(180), Activity::Idle),
            (None, Activity::Never),
        ] {
            let expected = Session {
                activity,
                is_stale: false,
            };
            assert_eq!(Session::of(&peer(age, false), NOW), expected, "{age:?}");
        }
        let mut future = peer(None, false);
        future.last_handshake = Some(NOW + Duration::from_hours(1));
        assert_eq!(Session::of(&future, NOW).activity, Activity::Idle);
    }

    #[test]
    fn one_that_is_sent_to_and_does_not_answer_is_stale() {
        assert!(!Session::of(&peer(Some(100), true), NOW).is_stale);
        assert!(Session::of(&peer(Some(200), true), NOW).is_stale);
        assert!(Session::of(&peer(None, true), NOW).is_stale);
        let nowhere = PeerStatus {
            endpoint: None,
            ..peer(Some(200), true)
        };
        assert!(!Session::of(&nowhere, NOW).is_stale); // there is nowhere to send to
        let tried = |age| PeerStatus {
            tx_bytes: 148,
            ..peer(age, false)
        };
        assert!(Session::of(&tried(None), NOW).is_stale);
        assert!(!Session::of(&tried(Some(200)), NOW).is_stale); // that may have been long ago
        assert!(Session::since(&tried(Some(200)), NOW, 0).is_stale);
        assert!(!Session::since(&tried(Some(200)), NOW, 148).is_stale);
        assert!(!Session::since(&tried(Some(20)), NOW, 0).is_stale);
    }
}
