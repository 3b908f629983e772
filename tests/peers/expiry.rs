//! Peers with a time that is over.

use super::host;

#[test]
fn one_whose_time_is_over_is_left_out_and_can_be_removed() {
    host(
        r#"running
wgq -q peer add guest --expires 30d >"$work/shown"
fails 0 wgq peer list
says "until $(sed -n 's/^Expires = //p' $file)"
[[ $(listed guest .state) == enabled && $(date -d "$(listed guest .expires)" +%s) -gt $(date -d '29 days 23 hours' +%s) ]]
[[ $(date -d "$(listed guest .expires)" +%s) -le $(date -d '30 days' +%s) && $(<"$work/shown") != *Expires* ]]
wgq -q peer add later --expires 2099-12-24 >/dev/null
[[ $(listed later .expires) == 2099-12-24T00:00:00Z ]]
wgq -q peer add instant --expires 2099-12-24T18:00:00Z >/dev/null
[[ $(listed instant .expires) == 2099-12-24T18:00:00Z ]]
key=$(listed guest)
keep
fails 1 wgq peer add past --expires 2020-01-01
says 'that time is over'
unchanged
fails 0 wgq peer remove --expired
cmp "$work/file" $file

# time goes by
sed -i '/^# Name = guest/,/^Expires/s/^Expires = .*/Expires = 2020-01-01T00:00:00Z/' $file
[[ $(listed guest .state) == expired ]]
fails 0 wgq apply wg0
says "time is over, leaving it out"
says 'hint: `wgq peer remove --expired` takes such peers out of the file'
says 'Expires = 2020-01-01'
[[ ! $(row "$key") && $(row "$(listed later)") && $(row $peer1) ]]
wgq -q down wg0 2>/dev/null
fails 0 wgq up wg0
says 'time is over, leaving it out'
[[ ! $(row "$key") && $(row "$(listed later)") ]]
# its address is not given to another while it is in the file
wgq -q peer add other >/dev/null
[[ $(address other) == '10.8.0.6/32 fd00:8::5/128' ]]
wgq -q peer remove other

wgq -q peer disable later
fails 0 wgq --json peer remove --expired
[[ $(jq -r '.removed[].name' <<<"$(sed -n '/^{/,/^}/p' <<<"$said")") == guest ]]
says "guest is removed ($key)"
[[ -e $clients/removed/guest.conf && ! -e $clients/guest.conf && ! $(listed guest) && $(listed later .state) == disabled ]]
[[ $(wg show wg0 peers | sort | xargs) == $(printf '%s\n' $peer1 "$(listed instant)" | sort | xargs) ]]
fails 0 wgq peer remove --expired
[[ ! $said ]]
fails 0 wgq --json peer remove --expired
[[ $(jq -c .removed <<<"$said") == '[]' ]]
fails 2 wgq peer remove
fails 2 wgq peer remove x --expired"#,
    );
}

#[test]
fn several_leave_together_and_one_that_runs_is_cut_off() {
    host(
        r#"running
keep
for name in a b c; do wgq -q peer add $name --expires 1s >/dev/null; done
wgq -q peer add stays --expires 1h >/dev/null
sleep 1.1
wgq -q peer remove --expired
[[ $(wg show wg0 peers | wc -l) == 2 && $(wgq --json peer list | jq -r '.peers[].name' | xargs) == 'site stays' ]]
[[ $(ls $clients/removed | xargs) == 'a.conf b.conf c.conf' ]]
wgq -q peer remove stays
cmp "$work/file" $file"#,
    );
}

#[test]
fn one_that_is_disabled_goes_too_and_a_file_that_is_not_in_order_is_told() {
    host(
        r"server
wgq -q peer add guest --expires 1s >/dev/null
wgq -q peer disable guest
sleep 1.1
fails 0 wgq peer remove --expired
says 'guest is removed'
lacks PresharedKey $file
printf 'Nonsense = 1\n' >>$file
fails 1 wgq peer remove --expired
says Nonsense",
    );
}
