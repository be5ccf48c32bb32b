//! Stack traces and their frames.

use std::borrow::Cow;

use super::Text;
use super::reader::Reader;
use super::record::record;
use crate::json::{Json, Object};

record! {
    /// Frames, oldest call first, the one that failed last.
    pub struct Stacktrace {
        /// The frames.
        frames: Vec<Frame<'a>> = "frames",
        /// Contents of the processor's registers.
        registers: Object<'a> = "registers",
        /// The language.
        lang: Option<Text<'a>> = "lang",
        /// Whether it is a snapshot of a running thread.
        snapshot: Option<bool> = "snapshot",
        /// How addresses are to be corrected.
        instruction_addr_adjustment: Option<Text<'a>> = "instruction_addr_adjustment",
        /// First and last index of the frames that the client left out.
        frames_omitted: Json<'a> = "frames_omitted",
    }
}

record! {
    /// One line of a stack trace.
    pub struct Frame {
        /// The function.
        function: Option<Text<'a>> = "function",
        /// The function as the runtime names it.
        raw_function: Option<Text<'a>> = "raw_function",
        /// The symbol.
        symbol: Option<Text<'a>> = "symbol",
        /// The module.
        module: Option<Text<'a>> = "module",
        /// The package or library.
        package: Option<Text<'a>> = "package",
        /// The file, relative.
        filename: Option<Text<'a>> = "filename",
        /// The file, absolute, or a URL.
        abs_path: Option<Text<'a>> = "abs_path",
        /// The line, from 1.
        lineno: Option<u64> = "lineno",
        /// The column, from 1.
        colno: Option<u64> = "colno",
        /// The platform, where it is not the event's.
        platform: Option<Text<'a>> = "platform",
        /// Lines before.
        pre_context: Vec<Text<'a>> = "pre_context" [read_lines],
        /// The line itself.
        context_line: Option<Text<'a>> = "context_line",
        /// Lines after.
        post_context: Vec<Text<'a>> = "post_context" [read_lines],
        /// Whether the code is the application's own.
        in_app: Option<bool> = "in_app",
        /// Local variables.
        vars: Object<'a> = "vars" [read_vars],
        /// Source maps and the like.
        data: Object<'a> = "data",
        /// Start of the image.
        image_addr: Option<Text<'a>> = "image_addr",
        /// The instruction.
        instruction_addr: Option<Text<'a>> = "instruction_addr",
        /// Start of the function.
        symbol_addr: Option<Text<'a>> = "symbol_addr",
        /// What addresses are relative to.
        addr_mode: Option<Text<'a>> = "addr_mode",
        /// Index of a function in WebAssembly.
        function_id: Option<Text<'a>> = "function_id",
        /// How the frame was found.
        trust: Option<Text<'a>> = "trust",
        /// The language.
        lang: Option<Text<'a>> = "lang",
        /// Whether an asynchronous stack starts here.
        stack_start: Option<bool> = "stack_start",
        /// The lock that is waited for.
        lock: Json<'a> = "lock",
        /// The frame that called this one, in trees.
        parent_index: Option<u64> = "parent_index",
        /// Samples in a profile.
        sample_count: Option<u64> = "sample_count",
        /// Revision of the file.
        file_revision: Option<Text<'a>> = "file_revision",
    }
}

/// Lines of source; a null line is an empty one, or line numbers would be wrong.
fn read_lines<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Vec<Text<'a>> {
    let Json::Array(lines) = json else {
        reader.note_wrong(&json);
        return Vec::new();
    };
    let as_line = |line| super::record::into_text(line).unwrap_or_default();
    lines.into_iter().map(as_line).collect()
}

/// Variables by name; a list is named by its indices.
fn read_vars<'a>(json: Json<'a>, reader: &mut Reader<'a>) -> Object<'a> {
    match json {
        Json::Object(object) => object,
        Json::Array(values) => {
            let named = values
                .into_iter()
                .enumerate()
                .map(|(index, value)| (Cow::Owned(index.to_string()), value));
            Object::from_pairs(named.collect())
        }
        other => {
            reader.note_wrong(&other);
            Object::new()
        }
    }
}
