//! Hosts to test with: threads in network and mount namespaces of their own, with a /run of their own.
#![allow(dead_code, reason = "each test uses its part of it")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Pid, gettid};
use wgq::host::uapi;
use wgq::host::userspace;
use wgq::net::Ifname;

/// The program that is tested.
pub(crate) const WGQ: &str = env!("CARGO_BIN_EXE_wgq");

/// How long something may take that is to happen; long, as a busy machine runs these tests too.
const PATIENCE: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce() + Send>;

/// A host. What it started is ended with it.
pub(crate) struct Host {
    jobs: mpsc::Sender<Job>,
    thread: Pid,
    /// The key of its device, if it has one.
    pub(crate) public_key: String,
}

impl Host {
    /// A host with nothing but a loopback interface.
    pub(crate) fn new() -> Self {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (sender, thread) = mpsc::channel();
        thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
                .expect("namespaces: run as root or by `unshare -rn`");
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
            mount(none, "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
            sender.send(gettid()).unwrap();
            for job in queue {
                job();
            }
        });
        let thread = thread.recv().unwrap();
        let host = Self {
            jobs,
            thread,
            public_key: String::new(),
        };
        host.sh("ip link set lo up");
        host
    }

    /// Runs something in the host.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, result) = mpsc::channel();
        let job = move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
            let _ = sender.send(result);
        };
        self.jobs.send(Box::new(job)).unwrap();
        result
            .recv()
            .unwrap()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs a shell command in the host and returns what it prints.
    pub(crate) fn sh(&self, command: &str) -> String {
        let text = command.to_owned();
        let output = self.run(move || Command::new("sh").args(["-ec", &text]).output().unwrap());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the device `wg0`.
    pub(crate) fn start(&self) {
        self.run(|| userspace::start_embedded(Path::new(WGQ), wg0(), None).unwrap());
    }

    /// The process that serves the device.
    pub(crate) fn server(&self) -> i32 {
        self.run(|| {
            let socket = UnixStream::connect(uapi::socket_path(wg0())).unwrap();
            getsockopt(&socket, sockopt::PeerCredentials).unwrap().pid()
        })
    }

    /// A UDP socket of the host on the address; it stays one wherever it is used.
    pub(crate) fn socket(&self, address: &str) -> UdpSocket {
        let address = SocketAddr::new(address.parse().unwrap(), 0);
        self.run(move || UdpSocket::bind(address).unwrap())
    }

    /// Whether a datagram from one address to another host's, and its answer, come through in time.
    pub(crate) fn reaches(&self, other: &Self, from: &str, to: &str, patience: Duration) -> bool {
        let (near, far) = (self.socket(from), other.socket(to));
        for socket in [&near, &far] {
            socket
                .set_read_timeout(Some(Duration::from_millis(50)))
                .unwrap();
        }
        near.connect(far.local_addr().unwrap()).unwrap();
        let start = Instant::now();
        let mut buffer = [0; 9];
        while start.elapsed() < patience {
            let _ = near.send(b"question");
            if let Ok((length, peer)) = far.recv_from(&mut buffer) {
                assert_eq!(&buffer[..length], b"question");
                let _ = far.send_to(b"answer", peer);
            }
            if near.recv(&mut buffer).is_ok() {
                return true;
            }
        }
        false
    }

    /// Whether a datagram and its answer come through.
    pub(crate) fn talks_to(&self, other: &Self, from: &str, to: &str) -> bool {
        self.reaches(other, from, to, PATIENCE)
    }

    /// Whether some megabytes come through by TCP, unchanged.
    pub(crate) fn streams_to(&self, other: &Self, to: &str) -> bool {
        let to: IpAddr = to.parse().unwrap();
        let listener = other.run(move || TcpListener::bind((to, 0)).unwrap());
        let address = listener.local_addr().unwrap();
        let mut sender = self.run(move || TcpStream::connect_timeout(&address, PATIENCE).unwrap());
        let (mut end, _) = listener.accept().unwrap();
        end.set_read_timeout(Some(PATIENCE)).unwrap();
        let sent: Vec<u8> = (0_u32..1 << 20)
            .flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes())
            .collect();
        let data = sent.clone();
        thread::spawn(move || sender.write_all(&data));
        let mut received = Vec::new();
        end.read_to_end(&mut received).unwrap();
        received == sent
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let (sender, done) = mpsc::channel();
        let stop = move || {
            let _ = userspace::stop(wg0());
            let _ = sender.send(());
        };
        let _ = self.jobs.send(Box::new(stop));
        let _ = done.recv();
    }
}

/// Two hosts on one wire, each with a device that knows the other's, and addresses of both families inside and outside.
pub(crate) struct Pair {
    pub(crate) a: Host,
    pub(crate) b: Host,
}

impl Pair {
    /// Both, ready to talk.
    pub(crate) fn new() -> Self {
        let (mut a, mut b) = (Host::new(), Host::new());
        a.sh(&format!(
            "ip link add veth type veth peer name veth netns {}",
            b.thread
        ));
        for (host, number) in [(&mut a, 1), (&mut b, 2)] {
            host.start();
            host.sh(&format!(
                "ip link set veth mtu 9000 addrgenmode none up
                 ip addr add 192.0.2.{number}/24 dev veth
                 ip addr add 2001:db8::{number}/64 dev veth nodad
                 ip addr add fe80::{number}/64 dev veth nodad
                 wg genkey | wg set wg0 listen-port 51820 private-key /dev/stdin
                 ip link set wg0 up
                 ip addr add 10.9.0.{number}/24 dev wg0
                 ip addr add fd00:9::{number}/64 dev wg0 nodad"
            ));
            host.sh("wg show wg0 public-key")
                .trim()
                .clone_into(&mut host.public_key);
        }
        for (host, other, number) in [(&a, &b, 2), (&b, &a, 1)] {
            host.sh(&format!(
                "wg set wg0 peer {} endpoint 192.0.2.{number}:51820 allowed-ips 10.9.0.{number}/32,fd00:9::{number}/128",
                other.public_key
            ));
        }
        Self { a, b }
    }
}

/// The name of every device here.
pub(crate) fn wg0() -> Ifname {
    "wg0".parse().unwrap()
}

/// Waits until something is so.
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it never was");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
