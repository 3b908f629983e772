//! The device's socket in /var/run/wireguard, by which `wg` and wgq read and change it.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nix::libc::{EINVAL, ENODEV, EPROTO};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::host::remove::remove_if_there;
use crate::host::uapi::{self, SOCKET_DIR, Set};
use crate::net::{Ifname, Invalid};
use crate::status::DeviceStatus;

/// What a client asks for, and where the answer goes.
pub(super) enum Request {
    /// The device and how it fares.
    Get(oneshot::Sender<DeviceStatus>),
    /// A change; the answer is an errno or none.
    Set(Set, oneshot::Sender<Result<(), i32>>),
}

/// The socket; its file goes with it.
pub(super) struct Server {
    path: PathBuf,
    inode: u64,
    removed: oneshot::Receiver<()>,
    requests: mpsc::Receiver<Request>,
}

impl Server {
    /// Opens the socket, for root alone; the file of a dead process is replaced.
    pub(super) fn open(ifname: Ifname) -> anyhow::Result<Self> {
        let path = uapi::socket_path(ifname);
        if uapi::is_served(ifname) {
            bail!(
                "{} answers: another process serves {ifname}",
                path.display()
            );
        }
        make_dir().with_context(|| format!("mkdir {SOCKET_DIR}"))?;
        let listener = listen(&path).with_context(|| format!("listen on {}", path.display()))?;
        let (sender, requests) = mpsc::channel(1);
        tokio::spawn(accept(listener, sender));
        let inode = inode(&path).with_context(|| format!("{} is gone", path.display()))?;
        let removed = watch(path.clone(), inode).with_context(|| format!("watch {SOCKET_DIR}"))?;
        Ok(Self {
            path,
            inode,
            removed,
            requests,
        })
    }

    /// Returns the next request; none when the file was removed, which is how wg-quick stops an implementation.
    pub(super) async fn next(&mut self) -> Option<Request> {
        tokio::select! {
            request = self.requests.recv() => request,
            _ = &mut self.removed => None,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if inode(&self.path) == Some(self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn make_dir() -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(SOCKET_DIR) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    remove_if_there(path)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Tells when the file is no longer there, or another one is.
fn watch(path: PathBuf, expected: u64) -> nix::Result<oneshot::Receiver<()>> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC)?;
    inotify.add_watch(
        SOCKET_DIR,
        AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM | AddWatchFlags::IN_DELETE_SELF,
    )?;
    let (sender, removed) = oneshot::channel();
    std::thread::spawn(move || {
        while inode(&path) == Some(expected) && inotify.read_events().is_ok() {}
        let _ = sender.send(());
    });
    Ok(removed)
}

fn inode(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path)
        .ok()
        .map(|metadata| metadata.ino())
}

async fn accept(listener: UnixListener, requests: mpsc::Sender<Request>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(converse(client, requests.clone()));
    }
}

/// Answers a client until it hangs up; `wg` asks once, others may again.
async fn converse(client: UnixStream, requests: mpsc::Sender<Request>) -> io::Result<()> {
    let (reader, mut writer) = client.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(request) = read_request(&mut reader).await? {
        let answer = match answer(&request, &requests).await {
            Ok(text) => Zeroizing::new(format!("{}errno=0\n\n", *text)),
            Err(errno) => Zeroizing::new(format!("errno=-{errno}\n\n")), // `wg` negates it
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// Reads up to an empty line; none if the client hangs up before: half a request is none.
async fn read_request(
    reader: &mut (impl tokio::io::AsyncBufRead + Unpin),
) -> io::Result<Option<Zeroizing<String>>> {
    let mut text = Zeroizing::new(String::new());
    loop {
        let start = text.len();
        if reader.read_line(&mut text).await? == 0 {
            return Ok(None);
        }
        if text.get(start..) == Some("\n") {
            text.truncate(start);
            return Ok(Some(text));
        }
    }
}

async fn answer(request: &str, requests: &mpsc::Sender<Request>) -> Result<Zeroizing<String>, i32> {
    let (first, rest) = request.split_once('\n').ok_or(EPROTO)?;
    match first {
        "get=1" => {
            let (sender, status) = oneshot::channel();
            requests
                .send(Request::Get(sender))
                .await
                .map_err(|_| ENODEV)?;
            let status = status.await.map_err(|_| ENODEV)?;
            Ok(Zeroizing::new(status.to_string()))
        }
        "set=1" => {
            let set = rest.parse().map_err(|_: Invalid| EINVAL)?;
            let (sender, done) = oneshot::channel();
            requests
                .send(Request::Set(set, sender))
                .await
                .map_err(|_| ENODEV)?;
            done.await
                .map_err(|_| ENODEV)?
                .map(|()| Zeroizing::default())
        }
        _ => Err(EPROTO),
    }
}
