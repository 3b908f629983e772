//! Each form is read back by another program's decoder, from a picture made of it as its viewer would.

use super::read::MAGIC;
use super::*;

const ROUNDS: usize = 20;

const CONFIG: &str = "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.7.0.2/32\n\
     DNS = 10.7.0.1\n\n[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n\
     AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = vpn.example.com:51820\n";

/// What the code of a picture says: whether the module at (x, y) is dark, of so many a side.
fn scan(width: usize, dark: impl Fn(usize, usize) -> bool) -> String {
    const SCALE: usize = 4;
    let side = width * SCALE;
    let shade = |x, y| if dark(x / SCALE, y / SCALE) { 0 } else { 0xff };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, shade);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

/// A picture of a terminal whose own colours are light on dark, or dark on light, once it has shown the text.
fn screen(text: &str, is_dark: bool) -> Vec<Vec<bool>> {
    let mut rows = Vec::new();
    for line in text.lines() {
        let (ink_is_dark, line) = match line.strip_prefix("\x1b[38;5;16;48;5;231m") {
            Some(line) => (true, line.strip_suffix("\x1b[0m").unwrap()),
            None => (!is_dark, line),
        };
        let ink = |has: [bool; 2]| has.map(|ink| ink == ink_is_dark);
        let cells = line.chars().map(|cell| match cell {
            ' ' => ink([false, false]),
            '▀' => ink([true, false]),
            '▄' => ink([false, true]),
            '█' => ink([true, true]),
            other => panic!("{other:?} is no block"),
        });
        let cells: Vec<_> = cells.collect();
        rows.push(cells.iter().map(|[upper, _]| *upper).collect());
        rows.push(cells.iter().map(|[_, lower]| *lower).collect());
    }
    rows
}

fn from_screen(text: &str, is_dark: bool) -> String {
    let rows = screen(text, is_dark);
    let width = rows[0].len();
    assert!(rows.len().abs_diff(width) <= 1);
    scan(width, |x, y| rows.get(y).is_some_and(|row| row[x]))
}

/// The dark modules of the one path, of which each part is a rectangle of one row.
fn from_svg(svg: &str, width: usize) -> String {
    assert!(svg.contains(&format!("viewBox=\"0 0 {width} {width}\"")));
    let (_, path) = svg.split_once(" d=\"").unwrap();
    let (path, _) = path.split_once('"').unwrap();
    let mut dark = vec![vec![false; width]; width];
    for part in path.split_terminator('z') {
        let numbers = part.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<usize> = numbers.filter_map(|it| it.parse().ok()).collect();
        let [x, y, length, 1, back] = numbers[..] else {
            panic!("{part}")
        };
        assert_eq!(length, back);
        dark[y][x..x + length].fill(true);
    }
    scan(width, |x, y| dark[y][x])
}

fn every_form_says(text: &str) {
    let qr = Qr::of(text).unwrap();
    let colored = qr.terminal(None, true).unwrap();
    assert_eq!(from_screen(&colored, true), text);
    assert_eq!(from_screen(&colored, false), text);
    let plain = qr.terminal(None, false).unwrap();
    assert_eq!(from_screen(&plain, true), text);
    assert_eq!(from_svg(&qr.svg(), qr.width()), text);
    assert_eq!(*read_png(&qr.png().unwrap()).unwrap(), text);
}

#[test]
fn every_form_is_read_by_another_decoder() {
    every_form_says(CONFIG);
}

#[test]
fn the_shortest_and_the_longest_text_are_read_and_a_longer_one_is_refused() {
    every_form_says("x");
    let longest: String = CONFIG.chars().cycle().take(MOST_ASCII).collect();
    every_form_says(&longest);
    assert_eq!(Qr::of(&longest).unwrap().width(), 177 + 2 * QUIET_ZONE);
    let error = Qr::of(&(longest + "x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2954 bytes are too many for a QR code, which holds 2953"
    );
}

#[test]
fn text_beyond_ascii_is_read_as_it_is() {
    for name in ["Telefon für Jörg", "電話機", "日本語の電話", "📱", "Ангела"] {
        every_form_says(&format!("# Name = {name}\n{CONFIG}"));
    }
    let longest = "日".repeat(MOST_UTF_8 / 3);
    assert_eq!(longest.len(), MOST_UTF_8);
    every_form_says(&longest);
    let error = Qr::of(&(longest + "x")).unwrap_err();
    assert_eq!((error.bytes, error.most), (2953, 2952));
}

#[test]
fn the_code_is_as_small_as_can_be() {
    // bytes that a code of that version and the lowest error correction holds: ISO/IEC 18004, table 7
    for (version, bytes) in [
        (1, 17),
        (2, 32),
        (10, 271),
        (27, 1465),
        (39, 2809),
        (40, 2953),
    ] {
        let text = "a".repeat(bytes);
        assert_eq!(Qr::of(&text).unwrap().width(), 17 + 4 * version + 8);
    }
}

#[test]
fn a_terminal_that_is_too_narrow_is_refused() {
    let qr = Qr::of(CONFIG).unwrap();
    let columns = u16::try_from(qr.width()).unwrap();
    assert!(qr.terminal(Some(columns), true).is_ok());
    let error = qr.terminal(Some(columns - 1), true).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the QR code needs {columns} columns, and the terminal has {}",
            columns - 1
        )
    );
    let text = qr.terminal(None, false).unwrap();
    assert!(text.lines().all(|line| line.chars().count() == qr.width()));
}

#[test]
fn pictures_of_every_kind_are_read() {
    use ::png::{BitDepth, ColorType, Encoder};

    let qr = Qr::of(CONFIG).unwrap();
    for (color, of_dark, of_light) in [
        (ColorType::Grayscale, &[0x30][..], &[0xe0][..]),
        (ColorType::GrayscaleAlpha, &[0, 0xff], &[0, 0]),
        (ColorType::Rgb, &[0x40, 0, 0x80], &[0xff, 0xff, 0xe0]),
        (ColorType::Rgba, &[0, 0, 0, 0xff], &[0xff, 0xff, 0xff, 0]),
        (ColorType::Rgb, &[0xff, 0xff, 0xff], &[0, 0, 0]), // a screenshot of a dark theme
    ] {
        let side = u32::try_from(qr.width() * 3).unwrap();
        let pixel = |dark: &bool| if *dark { of_dark } else { of_light };
        let row = |row: &[bool]| {
            row.iter()
                .flat_map(|dark| pixel(dark).repeat(3))
                .collect::<Vec<_>>()
        };
        let image: Vec<u8> = qr.rows().flat_map(|it| row(it).repeat(3)).collect();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, side, side);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&image).unwrap();
        writer.finish().unwrap();
        assert!(is_png(&bytes));
        assert_eq!(*read_png(&bytes).unwrap(), CONFIG, "{color:?}");
    }
}

#[test]
fn a_picture_without_a_code_is_told_from_what_is_no_picture() {
    let png = Qr::of(CONFIG).unwrap().png().unwrap();
    assert!(matches!(
        read_png(&png[..png.len() / 2]),
        Err(Unreadable::Picture(_))
    ));
    assert!(matches!(read_png(MAGIC), Err(Unreadable::Picture(_))));
    assert!(!is_png(CONFIG.as_bytes()));
    let blank = Qr {
        width: 40,
        dark: Zeroizing::new(vec![false; 1600]),
    };
    assert!(matches!(
        read_png(&blank.png().unwrap()),
        Err(Unreadable::NoCode)
    ));
}

#[test]
fn two_codes_in_a_picture_are_one_too_many() {
    let [a, b] = ["a", "b"].map(|text| Qr::of(text).unwrap());
    let width = a.width() * 2;
    let mut dark = Zeroizing::new(vec![false; width * width]);
    for (y, (a, b)) in a.rows().zip(b.rows()).enumerate() {
        let both = [a, b].concat();
        dark[y * width..(y + 1) * width].copy_from_slice(&both);
    }
    let png = Qr { width, dark }.png().unwrap();
    assert!(matches!(read_png(&png), Err(Unreadable::Several(2))));
}

#[test]
fn a_code_is_not_in_its_debug_text() {
    let shown = format!("{:?}", Qr::of("x").unwrap());
    assert_eq!(shown, "Qr(29x29, hidden)");
}

#[test]
fn no_picture_makes_the_reader_panic() {
    let mut seed = 1u64; // of xorshift64
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % (1 << 31)).unwrap()
    };
    for round in 0..ROUNDS {
        let mut qr = Qr::of(&CONFIG[..=random() % 200]).unwrap();
        let modules = qr.dark.len();
        for _ in 0..random() % (modules / 8) {
            let at = random() % modules;
            qr.dark[at] = !qr.dark[at];
        }
        let mut png = qr.png().unwrap().to_vec();
        if round % 4 == 0 {
            let at = random() % png.len();
            png[at] = u8::try_from(random() % 256).unwrap();
        }
        let _ = read_png(&png);
    }
}
