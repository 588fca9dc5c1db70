//! The port for pages that work without JavaScript.

use plinth_kernel::Problem;
use plinth_kernel::ports::{AnswerGate, AnswerView, BoxFuture, CitationView, VisitorContext};

use crate::Assistant;
use crate::limits;
use crate::model::answer::{Setting, plan};
use crate::model::text::normalise;
use crate::parts::quoted_sources;

/// Answers at once and stores nothing: a page that is asked for with GET must not change anything, and crawlers ask too.
impl AnswerGate for Assistant {
    fn answer<'a>(
        &'a self,
        _visitor: VisitorContext,
        question: &'a str,
    ) -> BoxFuture<'a, Result<AnswerView, Problem>> {
        Box::pin(async move {
            let index = self.index();
            let question = normalise(question, limits::QUESTION_CHARS_MAX);
            let answer = plan(&index, &question, Setting::default()).answer;
            let citations = quoted_sources(&index, &answer)
                .into_iter()
                .map(|source| CitationView {
                    n: source.n,
                    title: source.title,
                    url: source.url,
                    quote: source.quote,
                })
                .collect();
            Ok(AnswerView {
                text: answer.text(),
                citations,
                grounded: answer.grounded(),
                suggestions: answer.suggestions,
            })
        })
    }
}
