//! The base chains of a tunnel's table.

use nftables::schema::Chain;
use nftables::types::{NfChainPolicy, NfChainType, NfFamily, NfHook};

/// A base chain of a tunnel's table; what it does not drop, it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseChain {
    /// What came in, before connection tracking.
    PreRaw,
    /// What came in, before routing.
    PreMangle,
    /// What is about to leave.
    PostMangle,
    /// What this host sends: where a changed mark leads it another way.
    OutMangle,
    /// What is passed on, before it is decided whether.
    ForwardMangle,
    /// What is passed on.
    Forward,
    /// What came in, where its destination may change.
    DstNat,
    /// What this host sends, where its destination may change.
    OutDstNat,
    /// What is about to leave, where its source may change.
    SrcNat,
    /// What is about to leave, by an interface that does not change any more.
    KillSwitch,
}

impl BaseChain {
    /// Its name in the table, as in wg-quick's where that has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreRaw => "preraw",
            Self::PreMangle => "premangle",
            Self::PostMangle => "postmangle",
            Self::OutMangle => "outmangle",
            Self::ForwardMangle => "forwardmangle",
            Self::Forward => "forward",
            Self::DstNat => "dstnat",
            Self::OutDstNat => "outdstnat",
            Self::SrcNat => "srcnat",
            Self::KillSwitch => "killswitch",
        }
    }

    fn kind(self) -> NfChainType {
        match self {
            Self::OutMangle => NfChainType::Route,
            Self::DstNat | Self::OutDstNat | Self::SrcNat => NfChainType::NAT,
            Self::PreRaw
            | Self::PreMangle
            | Self::PostMangle
            | Self::ForwardMangle
            | Self::Forward
            | Self::KillSwitch => NfChainType::Filter,
        }
    }

    /// The hook and the place in its order: the priorities are those that nft(8) calls raw, mangle, dstnat, filter and srcnat.
    fn hook(self) -> (NfHook, i32) {
        match self {
            Self::PreRaw => (NfHook::Prerouting, -300),
            Self::PreMangle => (NfHook::Prerouting, -150),
            Self::PostMangle => (NfHook::Postrouting, -150),
            Self::OutMangle => (NfHook::Output, -150),
            Self::ForwardMangle => (NfHook::Forward, -150),
            Self::Forward => (NfHook::Forward, 0),
            Self::DstNat => (NfHook::Prerouting, -100),
            Self::OutDstNat => (NfHook::Output, -100),
            Self::SrcNat => (NfHook::Postrouting, 100),
            Self::KillSwitch => (NfHook::Postrouting, 0),
        }
    }

    /// Describes the chain in a table of this name.
    pub(super) fn in_table(self, table: &str) -> Chain<'static> {
        let (hook, priority) = self.hook();
        Chain {
            family: NfFamily::INet,
            table: table.to_owned().into(),
            name: self.name().into(),
            _type: Some(self.kind()),
            hook: Some(hook),
            prio: Some(priority),
            policy: Some(NfChainPolicy::Accept),
            ..Chain::default()
        }
    }
}
