//! Colours that can be read, in light and in dark.

use std::collections::BTreeMap;

const CSS: &str = include_str!("../../assets/site.css");
/// WCAG 2.2 AA for text, and for the parts of controls.
const TEXT: f64 = 4.5;
const CONTROL: f64 = 3.0;

/// `--name: light-dark(#a, #b)` → name → [light, dark].
fn tokens() -> BTreeMap<String, [String; 2]> {
    let pairs = CSS.lines().filter_map(|line| {
        let (name, rest) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
        let (light, dark) = rest.split_once(')')?.0.split_once(", ")?;
        Some((name.to_owned(), [light.to_owned(), dark.to_owned()]))
    });
    pairs.collect()
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: &str) -> f64 {
    let channel = |i: usize| {
        let value = f64::from(u8::from_str_radix(&colour[1 + 2 * i..3 + 2 * i], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_pair_of_text_and_ground_can_be_read_in_light_and_dark() {
    let tokens = tokens();
    let pairs = [
        ("ink", "paper", TEXT),
        ("ink", "sheet", TEXT),
        ("muted", "paper", TEXT),
        ("muted", "sheet", TEXT),
        ("link", "paper", TEXT),
        ("link", "sheet", TEXT),
        ("danger", "paper", TEXT),
        ("danger", "sheet", TEXT),
        ("on-marker", "marker", TEXT),
        ("on-solid", "solid", TEXT),
        ("edge", "paper", CONTROL),
        ("edge", "sheet", CONTROL),
    ];
    for (text, ground, least) in pairs {
        for (i, scheme) in ["light", "dark"].into_iter().enumerate() {
            let ratio = contrast(&tokens[text][i], &tokens[ground][i]);
            assert!(ratio >= least, "{text} on {ground} in {scheme}: {ratio:.2}");
        }
    }
}

#[test]
fn colours_are_named_once() {
    for line in CSS.lines().filter(|line| line.contains('#') && !line.contains("light-dark(")) {
        assert!(
            line.contains("@media print") || line.contains(":root { color-scheme: light !important"),
            "{line}"
        );
    }
}
