//! All or nothing: when something cannot be done, file, kernel and clients' configs are as they were.

use super::host;

#[test]
fn after_a_step_that_failed_all_is_as_it_was() {
    host(
        r"running
wgq -q peer add phone --allowed-ips 10.30.0.0/16 >/dev/null
wgq -q peer add tablet --allowed-ips 10.31.0.0/16 >/dev/null
wgq -q peer disable tablet
echo 'of one that is no more' >$clients/new.conf
export WGQ_FAULT
for fault in fail:0 fail:1; do
	for command in 'add new --allowed-ips 10.40.0.0/16' 'remove phone' 'disable phone' 'enable tablet' 'rekey phone'; do
		WGQ_FAULT=
		keep
		WGQ_FAULT=$fault
		fails 1 wgq peer $command
		says 'injected fault'
		says 'nothing was changed'
		mkdir -p $clients/removed # which may have been made
		rmdir --ignore-fail-on-non-empty $clients/removed
		unchanged
	done
done
# nothing of what runs changes by a name or by what is off
WGQ_FAULT=fail:0
wgq -q peer rename phone handy
wgq -q peer remove tablet",
    );
}

#[test]
fn where_clients_cannot_be_kept_nothing_is_done() {
    host(
        r"running
: >/etc/wireguard/clients
keep
fails 1 wgq peer add phone
says '/etc/wireguard/clients'
unchanged
fails 1 wgq peer remove site
unchanged
fails 0 wgq -q peer add phone --no-store
wgq peer disable phone
rm /etc/wireguard/clients
mkdir /etc/wireguard/clients
mount -t tmpfs -o size=16k tmpfs /etc/wireguard/clients
wgq -q peer add tablet >/dev/null
cat /dev/zero >/etc/wireguard/clients/fill 2>/dev/null || true
keep
for command in 'add laptop' 'remove tablet' 'remove site' 'rename tablet new' 'rekey tablet' 'rekey site'; do
	fails 1 wgq peer $command
	says 'No space left on device'
	rmdir --ignore-fail-on-non-empty $clients/removed 2>/dev/null || true
	unchanged
done
fails 1 wgq endpoint wg0 example.org
says 'No space left on device'
unchanged",
    );
}

#[test]
fn where_the_file_cannot_be_written_nothing_is_done() {
    host(
        r"mount -t tmpfs -o size=32k tmpfs /etc/wireguard
running
wgq -q peer add phone >/dev/null
wgq -q peer add off >/dev/null
wgq -q peer disable off
echo 'of one that is no more' >$clients/new.conf
mv /etc/wireguard/clients $work/clients
mkdir /etc/wireguard/clients
mount --bind $work/clients /etc/wireguard/clients
cat /dev/zero >/etc/wireguard/fill 2>/dev/null || true
keep
for command in 'add new' 'remove phone' 'disable phone' 'enable off' 'rename phone new' 'rekey phone'; do
	fails 1 wgq peer $command
	says 'wg0.conf: cannot be written: No space left on device'
	rmdir --ignore-fail-on-non-empty $clients/removed 2>/dev/null || true
	unchanged
done
fails 1 wgq endpoint wg0 example.org
says 'nothing was changed'
unchanged
fails 1 wgq init wg1
says 'No space left on device'
[[ ! -e /etc/wireguard/wg1.conf ]]
unchanged",
    );
}

/// What is shown is shown at the end: a picture that cannot be written takes nothing back, and that is said.
#[test]
fn where_a_config_cannot_be_shown_nothing_is_done() {
    host(
        r#"running
wgq -q peer add other >/dev/null
keep
touch $work/there.png
for option in '--png /nowhere/phone.png' '--svg /nowhere/phone.svg' \
	"--svg $work/new.svg --png $work/there.png"; do
	fails 1 wgq peer add phone $option
	unchanged
	fails 1 wgq peer rekey other $option
	unchanged
	[[ ! -e $work/new.svg ]]
done
# what cannot be printed at last is done all the same, and can be shown again
fails 3 bash -c '"$WGQ" peer add phone >/dev/full'
says 'phone is added all the same: `wgq peer qr phone`, `wgq peer show phone`'
[[ $(row $(listed phone)) && -e $clients/phone.conf ]]"#,
    );
}

#[test]
fn a_file_that_is_not_in_order_stays_as_it_is() {
    host(
        r"running
wgq -q peer add phone >/dev/null
printf 'Nonsense = 1\n' >>$file
keep
for command in 'add new' 'remove phone' 'disable phone' 'rename phone new' 'rekey phone' list 'show phone'; do
	fails 1 wgq peer $command
	says 'wg0.conf:'
	says Nonsense
	unchanged
done",
    );
}
