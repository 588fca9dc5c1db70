//! Citation markers in a model's text: `[2]` becomes a citation of source 2, anything out of range disappears.

/// A sentence with its markers read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// The sentence, valid markers kept at its end.
    pub text: String,
    /// The sentence without any marker.
    pub plain: String,
    /// Sources cited, in order, without repetition.
    pub cited: Vec<u32>,
}

/// Reads the markers of one closed sentence. `sources` is the number of sources; `[0]`, `[9]` with eight sources and
/// `[[1]]` are not markers of ours.
pub fn read_markers(sentence: &str, sources: u32) -> Marked {
    let mut marked = Marked::default();
    let mut rest = sentence;
    while let Some(at) = rest.find('[') {
        let (before, from) = rest.split_at(at);
        marked.plain.push_str(before);
        match marker(from) {
            Some((numbers, len)) => {
                for n in numbers {
                    if (1..=sources).contains(&n) && !marked.cited.contains(&n) {
                        marked.cited.push(n);
                    }
                }
                rest = &from[len..];
                // A removed marker takes the blank before it along.
                if marked.plain.ends_with(' ') && rest.starts_with(['.', ',', ';', ' ', '!', '?']) {
                    marked.plain.pop();
                }
            }
            None => {
                marked.plain.push('[');
                rest = &from[1..];
            }
        }
    }
    marked.plain.push_str(rest);
    let trailing = &marked.plain[marked.plain.trim_end().len()..];
    let body = marked.plain.trim_end();
    let numbers: String = marked.cited.iter().map(|n| format!(" [{n}]")).collect();
    marked.text = format!("{body}{numbers}{trailing}");
    marked
}

/// `[1]` or `[1, 2]` at the start of the text: its numbers and its length.
fn marker(text: &str) -> Option<(Vec<u32>, usize)> {
    let end = text.find(']').filter(|&end| end <= 24)?;
    let inner = &text[1..end];
    let numbers: Option<Vec<u32>> = inner
        .split(',')
        .map(|part| {
            part.trim().trim_start_matches('^').parse::<u32>().ok().filter(|_| part.trim().len() <= 4)
        })
        .collect();
    Some((numbers?, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markers_out_of_range_disappear() {
        let marked = read_markers("He used Kafka [1][9] and Redis [2, 1]. ", 4);
        assert_eq!(marked.plain, "He used Kafka and Redis. ");
        assert_eq!(marked.text, "He used Kafka and Redis. [1] [2] ");
        assert_eq!(marked.cited, [1, 2]);
        assert_eq!(read_markers("see [appendix]", 4).plain, "see [appendix]");
    }

    proptest! {
        #[test]
        fn only_existing_sources_are_ever_cited(text in "[a-z \\[\\]0-9,.]{0,60}", sources in 0u32..5) {
            let marked = read_markers(&text, sources);
            prop_assert!(marked.cited.iter().all(|n| (1..=sources).contains(n)));
            prop_assert!(marked.text.trim_start().starts_with(marked.plain.trim()));
        }
    }
}
