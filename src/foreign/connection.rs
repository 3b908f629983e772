//! What connection tracking knows, and the connections of which a tunnel needs packets.

use std::collections::BTreeSet;
use std::fmt;

/// What connection tracking knows of a packet; in the order of iptables(8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tracked {
    /// It belongs to no connection that could be.
    Invalid,
    /// It begins a connection, or there was no answer yet.
    New,
    /// It begins a connection that another one has told of, or is an error about one.
    Related,
    /// It is of a connection that was answered, or is the answer.
    Established,
    /// It is not looked at.
    Untracked,
    /// The source of its connection is rewritten.
    Snat,
    /// The destination of its connection is rewritten.
    Dnat,
}

impl Tracked {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Invalid,
        Self::New,
        Self::Related,
        Self::Established,
        Self::Untracked,
        Self::Snat,
        Self::Dnat,
    ];

    /// The word of nft(8), which in capitals is that of iptables(8).
    pub fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::New => "new",
            Self::Related => "related",
            Self::Established => "established",
            Self::Untracked => "untracked",
            Self::Snat => "snat",
            Self::Dnat => "dnat",
        }
    }

    /// Reads words between commas, in small letters or capitals.
    pub fn parse_list(text: &str) -> Option<BTreeSet<Self>> {
        let all = Self::ALL.into_iter();
        let of_word = |word| all.clone().find(|it| it.word().eq_ignore_ascii_case(word));
        text.split(',').map(of_word).collect()
    }
}

/// The connections of which packets are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connections {
    /// All, and packets of none.
    Any,
    /// Those that the other side has begun: answers, and what is related to them.
    Established,
    /// Those whose destination is rewritten.
    Dnat,
}

impl Connections {
    /// What is asked of their packets, any of which is enough; nothing is every packet.
    pub fn tracked(self) -> BTreeSet<Tracked> {
        match self {
            Self::Any => BTreeSet::new(),
            Self::Established => [Tracked::Related, Tracked::Established].into(),
            Self::Dnat => [Tracked::Dnat].into(),
        }
    }

    /// The connections of which a rule that asks this has all packets, and no other.
    pub(super) fn of(tracked: &BTreeSet<Tracked>) -> Option<Self> {
        let narrow = [Self::Established, Self::Dnat].into_iter();
        narrow.clone().find(|it| it.tracked() == *tracked)
    }
}

/// Prints as iptables(8) asks for them, with a blank in front.
pub(super) struct Iptables(pub(super) Connections);

impl fmt::Display for Iptables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tracked = self.0.tracked();
        let words: Vec<&str> = tracked.into_iter().map(Tracked::word).collect();
        if words.is_empty() {
            return Ok(());
        }
        let words = words.join(",").to_ascii_uppercase();
        write!(f, " -m conntrack --ctstate {words}")
    }
}

/// Prints as nft(8) asks for them, with a blank in front.
pub(super) struct Nft(pub(super) Connections);

impl fmt::Display for Nft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Connections::Any => "",
            Connections::Established => " ct state established,related",
            Connections::Dnat => " ct status dnat",
        })
    }
}
