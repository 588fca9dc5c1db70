//! Draws a system's diagram from data as one accessible SVG, styled by the page's own tokens.

use crate::{
    content::model::{Diagram, Edge, Node, NodeKind},
    html::escape,
};
use std::fmt::Write;

const BOX_W: i32 = 172;
const BOX_H: i32 = 60;
const PITCH_X: i32 = 236;
const PITCH_Y: i32 = 112;
const MARGIN: i32 = 6;
/// Arrowheads are drawn by a marker whose tip stands on the line's end.
const TIP: i32 = 3;
const GLYPH_X: i32 = 42;
const GLYPH_Y: i32 = 30;
const GLYPH_BOX_W: i32 = 26;
const GLYPH_BOX_H: i32 = 16;

/// The drawing with a title and, for those who cannot see it, every box and arrow in words.
#[must_use]
pub fn svg(slug: &str, title: &str, diagram: &Diagram) -> String {
    let columns = diagram.nodes.iter().map(|n| n.at.0).max().unwrap_or(0).cast_signed();
    let rows = diagram.nodes.iter().map(|n| n.at.1).max().unwrap_or(0).cast_signed();
    let width = columns * PITCH_X + BOX_W + 2 * MARGIN;
    let height = rows * PITCH_Y + BOX_H + 2 * MARGIN;
    let mut out = String::with_capacity(4096);
    // Writing into a String cannot fail, so the results of `write!` carry nothing.
    let _ = write!(
        out,
        "<svg class=\"diagram\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"dt-{slug} dd-{slug}\"><title id=\"dt-{slug}\">Diagram: {}</title>\
         <desc id=\"dd-{slug}\">{}</desc>\
         <defs><marker id=\"tip-{slug}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" d=\"M0 0.8 7.4 4 0 7.2Z\"/></marker></defs>",
        escape(title),
        escape(&in_words(diagram)),
    );
    for edge in &diagram.edges {
        if let (Some(from), Some(to)) = (find(diagram, &edge.from), find(diagram, &edge.to)) {
            line(&mut out, slug, edge, from, to);
        }
    }
    for node in &diagram.nodes {
        shape(&mut out, node);
    }
    out.push_str("</svg>");
    out
}

/// The same drawing as a small mark without words: the shape of a system, recognisable beside its title.
#[must_use]
pub fn glyph(diagram: &Diagram) -> String {
    let columns = diagram.nodes.iter().map(|n| n.at.0).max().unwrap_or(0).cast_signed();
    let rows = diagram.nodes.iter().map(|n| n.at.1).max().unwrap_or(0).cast_signed();
    let (width, height) = ((columns + 1) * GLYPH_X, (rows + 1) * GLYPH_Y);
    let centre = |n: &Node| {
        (n.at.0.cast_signed() * GLYPH_X + GLYPH_X / 2, n.at.1.cast_signed() * GLYPH_Y + GLYPH_Y / 2)
    };
    let mut out = format!("<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">");
    for edge in &diagram.edges {
        if let (Some(from), Some(to)) = (find(diagram, &edge.from), find(diagram, &edge.to)) {
            let ((fx, fy), (tx, ty)) = (centre(from), centre(to));
            let bend = if tx > fx { tx - GLYPH_X / 2 } else { tx + GLYPH_X / 2 };
            let path = if fx == tx || fy == ty {
                format!("M{fx} {fy}L{tx} {ty}")
            } else {
                format!("M{fx} {fy}H{bend}V{ty}H{tx}")
            };
            let _ = write!(out, "<path class=\"edge\" d=\"{path}\"/>");
        }
    }
    for node in &diagram.nodes {
        let (x, y) = centre(node);
        let (w, h) = (GLYPH_BOX_W, GLYPH_BOX_H);
        let radius = if node.kind == NodeKind::Person { h / 2 } else { 1 };
        let (left, top, kind) = (x - w / 2, y - h / 2, kind(node.kind));
        let _ = write!(
            out,
            "<rect class=\"{kind}\" x=\"{left}\" y=\"{top}\" width=\"{w}\" height=\"{h}\" rx=\"{radius}\"/>"
        );
    }
    out.push_str("</svg>");
    out
}

fn find<'a>(diagram: &'a Diagram, id: &toml::Spanned<String>) -> Option<&'a Node> {
    diagram.nodes.iter().find(|n| n.id.get_ref() == id.get_ref())
}

fn in_words(diagram: &Diagram) -> String {
    let name = |id: &toml::Spanned<String>| find(diagram, id).map_or("", |n| n.label.as_str());
    let mut words = diagram.caption.clone();
    for edge in &diagram.edges {
        let _ = write!(words, " {} leads to {}", name(&edge.from), name(&edge.to));
        if !edge.label.is_empty() {
            let _ = write!(words, " ({})", edge.label);
        }
        words.push('.');
    }
    words
}

fn corner(node: &Node) -> (i32, i32) {
    (MARGIN + node.at.0.cast_signed() * PITCH_X, MARGIN + node.at.1.cast_signed() * PITCH_Y)
}

fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Person => "person",
        NodeKind::Service => "service",
        NodeKind::Store => "store",
        NodeKind::Queue => "queue",
        NodeKind::External => "external",
    }
}

fn shape(out: &mut String, node: &Node) {
    let (x, y) = corner(node);
    let kind = kind(node.kind);
    let radius = if node.kind == NodeKind::Person { BOX_H / 2 } else { 3 };
    let _ = write!(
        out,
        "<g class=\"node {kind}\"><rect x=\"{x}\" y=\"{y}\" width=\"{BOX_W}\" height=\"{BOX_H}\" rx=\"{radius}\"/>"
    );
    match node.kind {
        // A second base line: something is kept here.
        NodeKind::Store => {
            let base = y + BOX_H - 5;
            let _ = write!(out, "<path class=\"mark\" d=\"M{x} {base}h{BOX_W}\"/>");
        }
        // Slots: something waits here in order.
        NodeKind::Queue => {
            let (a, b, c) = (x + BOX_W - 7, x + BOX_W - 14, x + BOX_W - 21);
            let _ =
                write!(out, "<path class=\"mark\" d=\"M{a} {y}v{BOX_H}M{b} {y}v{BOX_H}M{c} {y}v{BOX_H}\"/>");
        }
        _ => {}
    }
    let indent = if node.kind == NodeKind::Person { 22 } else { 14 };
    let label_y = if node.note.is_empty() { y + BOX_H / 2 + 5 } else { y + 26 };
    let _ = write!(
        out,
        "<text class=\"label\" x=\"{}\" y=\"{label_y}\">{}</text>",
        x + indent,
        escape(&node.label)
    );
    if !node.note.is_empty() {
        let _ = write!(
            out,
            "<text class=\"note\" x=\"{}\" y=\"{}\">{}</text>",
            x + indent,
            y + 45,
            escape(&node.note)
        );
    }
    out.push_str("</g>");
}

/// A straight line between neighbours in a row or column, else one bend in the gap between the columns.
fn line(out: &mut String, slug: &str, edge: &Edge, from: &Node, to: &Node) {
    let ((fx, fy), (tx, ty)) = (corner(from), corner(to));
    let (fcy, tcy) = (fy + BOX_H / 2, ty + BOX_H / 2);
    let forwards = tx > fx;
    let out_x = if forwards { fx + BOX_W } else { fx };
    let in_x = if forwards { tx - TIP } else { tx + BOX_W + TIP };
    let (path, label_at) = if from.at.0 == to.at.0 {
        let x = fx + BOX_W / 2;
        let (a, b) = if ty > fy { (fy + BOX_H, ty - TIP) } else { (fy, ty + BOX_H + TIP) };
        (format!("M{x} {a}V{b}"), (x, i32::midpoint(a, b) + 4))
    } else if from.at.1 == to.at.1 {
        (format!("M{out_x} {fcy}H{in_x}"), (i32::midpoint(out_x, in_x), fcy - 8))
    } else {
        let gap = (PITCH_X - BOX_W) / 2;
        let bend = if forwards { tx - gap } else { tx + BOX_W + gap };
        (format!("M{out_x} {fcy}H{bend}V{tcy}H{in_x}"), (bend, i32::midpoint(fcy, tcy) + 4))
    };
    let _ = write!(out, "<path class=\"edge\" d=\"{path}\" marker-end=\"url(#tip-{slug})\"/>");
    if !edge.label.is_empty() {
        let (x, y) = label_at;
        let _ = write!(out, "<text class=\"edge-label\" x=\"{x}\" y=\"{y}\">{}</text>", escape(&edge.label));
    }
}
