//! Templates: ours, or the theme's of the same name.

use crate::{
    assets::Assets,
    content::{
        error::{ContentErrors, Fault},
        markdown::slugify,
        passages::bare_names,
    },
    html,
};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, syntax::SyntaxConfig};
use rust_embed::RustEmbed;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Templates;

/// The template engine for one state of the content.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
}

impl Renderer {
    /// Compiles every template. `technologies` are those that the index of systems lists.
    pub fn new(
        theme: &BTreeMap<String, String>,
        assets: Arc<Assets>,
        technologies: BTreeSet<String>,
    ) -> Result<Self, ContentErrors> {
        let mut environment = Environment::new();
        // A block tag on a line of its own leaves no blank line behind.
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            environment.set_syntax(syntax);
        }
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
            Some("txt") => AutoEscape::None,
            _ => AutoEscape::Html,
        });
        // The engine's own escaping also turns every slash into an entity, which nobody wants to read in a link.
        environment.set_formatter(|out, state, value| match value.as_str() {
            Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => {
                out.write_str(&html::escape(text)).map_err(minijinja::Error::from)
            }
            _ => minijinja::escape_formatter(out, state, value),
        });
        helpers(&mut environment, assets, technologies);
        let mut faults = Vec::new();
        for name in names(theme) {
            let own = || Templates::get(&name).map(|f| String::from_utf8_lossy(&f.data).into_owned());
            let themed = theme.get(&format!("templates/{name}"));
            let Some(text) = themed.cloned().or_else(own) else { continue };
            if let Err(error) = environment.add_template_owned(name.clone(), text) {
                let file = format!("theme/templates/{name}");
                let message = error.detail().unwrap_or("is not a valid template").to_owned();
                faults.push(Fault { file, line: error.line(), message });
            }
        }
        ContentErrors::unless_empty(faults)?;
        Ok(Self { environment })
    }

    /// Renders a template.
    pub fn render(&self, template: &str, context: Value) -> Result<String, minijinja::Error> {
        self.environment.get_template(template)?.render(context)
    }
}

fn names(theme: &BTreeMap<String, String>) -> BTreeSet<String> {
    let own = Templates::iter().map(|name| name.into_owned());
    own.chain(theme.keys().filter_map(|path| path.strip_prefix("templates/").map(String::from))).collect()
}

fn helpers(environment: &mut Environment<'static>, assets: Arc<Assets>, technologies: BTreeSet<String>) {
    environment.add_function("asset", move |name: &str| match assets.url(name) {
        Some(url) => Ok(url.to_owned()),
        None => Err(minijinja::Error::new(ErrorKind::InvalidOperation, format!("there is no asset {name}"))),
    });
    // Where the index of technologies lists this tool; empty when no system uses it.
    environment.add_function("stack_href", move |tool: &str| {
        bare_names(&[tool.to_owned()])
            .iter()
            .map(|name| slugify(name))
            .find(|slug| technologies.contains(slug))
            .map_or_else(String::new, |slug| format!("/systems#stack.{slug}"))
    });
    environment.add_filter("slug", |text: &str| slugify(text));
    environment.add_filter("trimdot", |text: &str| text.trim_end_matches('.').to_owned());
    environment.add_filter("sides", |text: &str| {
        text.trim_end_matches('.').splitn(2, " vs ").map(String::from).collect::<Vec<_>>()
    });
    environment.add_filter("ld", |value: Value| {
        let json = serde_json::to_value(&value).unwrap_or_default();
        Value::from_safe_string(html::script_json(&json))
    });
}
