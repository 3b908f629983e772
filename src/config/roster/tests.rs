use super::*;

const FILE: &str = "\
[Interface]
Address = 10.0.0.1/24

# the first
[Peer] # phone
PublicKey = m8E4BNcW6eVRmWTXzkXmVyDWkaNNxkwDwUWHhVrBqmM=
AllowedIPs = 10.0.0.2/32

# on a hill
AllowedIPs = 10.1.0.0/24

### begin laptop ###
[Peer]
PublicKey = ydFdgfFMF2PQ5UQnlJnGNGAZbrhNWvRFeN6aVURQQ3c=
PresharedKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
AllowedIPs = 10.0.0.3/32
### end laptop ###
[Peer]
# Name = büro #2
PublicKey = gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=
AllowedIPs = 10.0.0.4/32";

fn roster(text: &str) -> Roster {
    Roster::read(text, &Names::default()).unwrap()
}

fn config(text: &str) -> Config {
    parse(text.as_bytes(), &Names::default()).config.unwrap()
}

#[test]
fn peers_are_found_by_name_and_by_key() {
    let roster = roster(FILE);
    let names: Vec<_> = roster.iter().map(|it| it.to_string()).collect();
    assert_eq!(names, ["phone", "laptop", "büro #2"]);
    let found = |wanted| {
        roster
            .find(wanted)
            .iter()
            .map(|it| it.index)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("laptop"), [1]);
    assert_eq!(found("gN65"), [2]);
    assert!(found("Laptop").is_empty() && found("").is_empty() && found("gN6").is_empty());
}

#[test]
fn one_that_is_turned_off_is_a_comment_and_comes_back_as_it_was() {
    for end in ["\n", "\r\n"] {
        let file = FILE.replace('\n', end) + end;
        for index in 0..3 {
            let off = roster(&file).turned(index, true);
            let mut left = config(&file).peers;
            left.remove(index);
            assert_eq!(config(&off).peers, left, "{off}");
            let again = roster(&off);
            let is_off: Vec<_> = again.iter().map(|it| it.is_off).collect();
            assert_eq!(is_off, [0, 1, 2].map(|it| it == index));
            assert_eq!(again.section(index), roster(&file).section(index));
            assert_eq!(again.turned(index, false), file);
            // and stays with what is done to the others
            let other = (index + 1) % 3;
            let rest = roster(&again.without(other));
            assert_eq!(rest.iter().filter(|it| it.is_off).count(), 1);
        }
    }
}

#[test]
fn comments_of_others_that_look_so_stay_comments() {
    let file = format!(
        "#-------- all --------\n#- a note\n{}\n#--- end ---\n#- [Interface]\n",
        FILE.replace("\n### begin", "\n#- old\n### begin")
    );
    assert_eq!(roster(&file).iter().filter(|it| it.is_off).count(), 0);
    let off = roster(&file).turned(1, true);
    let again = roster(&off);
    assert_eq!(again.iter().filter(|it| it.is_off).count(), 1);
    assert_eq!(again.turned(1, false), file);
    assert_eq!(config(&off).peers.len(), 2);
}

#[test]
fn several_go_at_once() {
    let left = roster(&roster(FILE).without_all(&[0, 2]));
    let names: Vec<_> = left.iter().map(|it| it.to_string()).collect();
    assert_eq!(names, ["laptop"]);
    assert_eq!(roster(FILE).without_all(&[1]), roster(FILE).without(1));
}

#[test]
fn one_that_is_removed_takes_its_comments_along() {
    let left = roster(FILE).without(1);
    assert_eq!(
        left,
        FILE.replace(&format!("\n{}", roster(FILE).section(1)), "") + "\n"
    );
    assert!(!left.contains("laptop") && left.contains("on a hill"));
}

#[test]
fn one_is_added_at_the_end() {
    let lines = ["# Name = new".to_owned(), "PublicKey = x".to_owned()];
    let added = roster(FILE).with(&lines);
    assert_eq!(
        added,
        format!("{FILE}\n\n[Peer]\n# Name = new\nPublicKey = x\n")
    );
}

#[test]
fn a_new_name_stands_where_the_old_one_did_or_below_the_header() {
    let renamed = roster(FILE).renamed(2, "office");
    assert_eq!(renamed, FILE.replace("büro #2", "office") + "\n");
    let renamed = roster(FILE).renamed(1, "netbook");
    assert_eq!(
        roster(&renamed).iter().nth(1).unwrap().name,
        Some("netbook")
    );
    assert!(renamed.contains("### begin laptop ###\n[Peer]\n# Name = netbook\n"));
    let off = roster(FILE).turned(2, true);
    let renamed = roster(&roster(&off).renamed(2, "office")).turned(2, false);
    assert_eq!(renamed, FILE.replace("büro #2", "office") + "\n");
}

#[test]
fn new_keys_stand_where_the_old_ones_did() {
    let key: PublicKey = "bjsmlVZsj1/BBxmrKp5ElEgxMTLdgsZmNAQQQFxm4lE="
        .parse()
        .unwrap();
    let preshared = PresharedKey::from([7; 32]);
    let rekeyed = config(&roster(FILE).rekeyed(1, key, &preshared));
    let peer = rekeyed.peers.get(1).unwrap();
    assert_eq!(
        (peer.public_key.value, peer.preshared_key.as_ref()),
        (key, Some(&preshared))
    );
    let rekeyed = config(&roster(FILE).rekeyed(0, key, &preshared));
    assert_eq!(rekeyed.peers.first().unwrap().preshared_key, None);
}

#[test]
fn what_is_wrong_with_one_that_is_off_is_told_with_its_line() {
    let off = roster(FILE)
        .turned(0, true)
        .replace("10.1.0.0/24", "10.1.0.0/33");
    assert!(config(&off).peers.len() == 2);
    let wrong = Roster::read(&off, &Names::default()).unwrap_err();
    assert!(wrong.first().unwrap().render("f", false).contains("f:10:"));
}
