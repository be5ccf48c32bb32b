//! Which frames of a stack trace are shown at once: the application's; the rest folds.

use crate::pages::event::FrameView;

/// Frames next to each other that are shown alike.
#[derive(Debug)]
pub(crate) struct FrameRun<'a> {
    /// Why they are together.
    kind: RunKind,
    /// The frames and, for each, whether it is shown open.
    pub(crate) frames: Vec<(bool, &'a FrameView)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunKind {
    /// Shown one by one.
    Shown,
    /// Of libraries: folded.
    Libraries,
    /// The same place again and again, as in a recursion: folded.
    Repeated,
}

/// Whether library frames and repeated ones are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folding {
    Fold,
    ShowAll,
}

/// Libraries that a folded run names.
const LIBRARIES_NAMED_MAX: usize = 3;

/// Application frames shown with their source at once; the others open on a click.
const FRAMES_OPEN_MAX: usize = 3;

/// Folds library frames and repeated ones; where none is the application's, shows all as if they
/// were.
pub(crate) fn runs(frames: &[FrameView], folding: Folding) -> Vec<FrameRun<'_>> {
    let nothing_in_app = !frames.iter().any(|frame| frame.in_app);
    let mut runs: Vec<FrameRun<'_>> = Vec::new();
    let mut open = 0;
    for (index, frame) in frames.iter().enumerate() {
        let matters = frame.in_app || nothing_in_app;
        let kind = match folding {
            Folding::Fold if !matters => RunKind::Libraries,
            Folding::Fold if is_repeated(frames, index) => RunKind::Repeated,
            Folding::Fold | Folding::ShowAll => RunKind::Shown,
        };
        let may_open = matters && kind == RunKind::Shown && frame.has_detail();
        let is_open = may_open && open < FRAMES_OPEN_MAX;
        open += usize::from(is_open);
        match runs.last_mut() {
            Some(run) if run.kind == kind => run.frames.push((is_open, frame)),
            _ => runs.push(FrameRun {
                kind,
                frames: vec![(is_open, frame)],
            }),
        }
    }
    runs
}

/// Whether the two frames before are of the same place too.
fn is_repeated(frames: &[FrameView], index: usize) -> bool {
    let place = |frame: &FrameView| (frame.function.clone(), frame.place().to_owned(), frame.line);
    let here = place(&frames[index]);
    index >= 2 && place(&frames[index - 1]) == here && place(&frames[index - 2]) == here
}

impl FrameRun<'_> {
    pub(crate) fn is_shown(&self) -> bool {
        self.kind == RunKind::Shown
    }

    /// What a folded run says of itself: `12 library frames: django.core, django.db`.
    pub(crate) fn summary(&self) -> String {
        let count = self.frames.len();
        let noun = crate::format::plural(count as u64, "frame", "frames");
        if self.kind == RunKind::Repeated {
            return format!("{count} more {noun} of the same place");
        }
        let mut names: Vec<&str> = Vec::new();
        for (_, frame) in &self.frames {
            let name = frame.library();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let more = names.len().saturating_sub(LIBRARIES_NAMED_MAX);
        names.truncate(LIBRARIES_NAMED_MAX);
        let names = names.join(", ");
        match (names.is_empty(), more) {
            (true, _) => format!("{count} library {noun}"),
            (false, 0) => format!("{count} library {noun}: {names}"),
            (false, _) => format!("{count} library {noun}: {names} and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::event::SourceLine;

    fn frame(module: &str, in_app: bool) -> FrameView {
        FrameView {
            module: Some(module.to_owned()),
            in_app,
            source: vec![SourceLine {
                number: None,
                text: "line".to_owned(),
                is_current: true,
            }],
            ..FrameView::default()
        }
    }

    /// `A` and `a`: a frame of the application, open and closed; digits: frames folded.
    fn shape(frames: &[FrameView], folding: Folding) -> String {
        let open = |is_open: bool| if is_open { 'A' } else { 'a' };
        let show = |run: FrameRun<'_>| -> String {
            if run.is_shown() {
                run.frames.iter().map(|frame| open(frame.0)).collect()
            } else {
                run.frames.len().to_string()
            }
        };
        runs(frames, folding).into_iter().map(show).collect()
    }

    #[test]
    fn library_frames_fold_between_the_applications() {
        let frames = [
            frame("django.core", false),
            frame("shop.views", true),
            frame("django.core", false),
            frame("wsgi", false),
            frame("shop.wsgi", true),
        ];
        assert_eq!(shape(&frames, Folding::Fold), "1A2A");
        assert_eq!(shape(&frames, Folding::ShowAll), "aAaaA");
        let folded = runs(&frames, Folding::Fold);
        assert_eq!(folded[2].summary(), "2 library frames: django, wsgi");
    }

    #[test]
    fn first_frames_open_and_the_rest_wait() {
        let frames = ["a", "b", "c", "d"].map(|module| frame(module, true));
        assert_eq!(shape(&frames, Folding::Fold), "AAAa");
    }

    #[test]
    fn a_recursion_folds_after_its_second_frame() {
        let mut frames = vec![frame("recurse", true); 40];
        frames.push(frame("main", true));
        assert_eq!(shape(&frames, Folding::Fold), "AA38A");
        let folded = runs(&frames, Folding::Fold);
        assert_eq!(folded[1].summary(), "38 more frames of the same place");
        assert_eq!(shape(&frames[..3], Folding::ShowAll), "AAA");
        frames[1].line = Some(2);
        assert_eq!(shape(&frames[..4], Folding::Fold), "AAAa");
    }

    #[test]
    fn nothing_folds_where_nothing_is_the_applications() {
        let frames = [frame("libc", false), frame("ld", false)];
        assert_eq!(shape(&frames, Folding::Fold), "AA");
    }

    #[test]
    fn many_libraries_are_named_in_short() {
        let frames = ["a.x", "b.x", "c.x", "d.x", "e.x"].map(|module| frame(module, false));
        let mut frames = frames.to_vec();
        frames.push(frame("shop", true));
        let folded = runs(&frames, Folding::Fold);
        assert_eq!(folded[0].summary(), "5 library frames: a, b, c and 2 more");
    }
}
