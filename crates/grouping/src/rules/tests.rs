use super::*;

const FRAME: FrameFacts<'_> = FrameFacts {
    family: Family::Other,
    path: None,
    module: None,
    function: None,
    package: None,
    in_app: Some(true),
};

fn functions<'a>(names: &'a [&'a str]) -> Vec<FrameFacts<'a>> {
    names
        .iter()
        .map(|name| FrameFacts {
            family: Family::Native,
            function: Some(name),
            ..FRAME
        })
        .collect()
}

fn apply(text: &str, frames: &[FrameFacts<'_>]) -> Ruling {
    StackRules::parse(text)
        .unwrap()
        .apply(frames, &ExceptionFacts::default())
}

fn in_app(facts: FrameFacts<'_>) -> bool {
    apply("", &[facts]).frames[0].in_app
}

fn in_app_path(path: &str) -> bool {
    in_app(FrameFacts {
        path: Some(path),
        ..FRAME
    })
}

fn ignored(text: &str, names: &[&str]) -> Vec<bool> {
    apply(text, &functions(names))
        .frames
        .iter()
        .map(|frame| frame.is_ignored)
        .collect()
}

#[test]
fn builtin_rules_know_whose_code_it_is() {
    assert!(in_app_path("/srv/shop/cart.py"));
    assert!(!in_app_path(
        "/srv/venv/lib/python3.12/site-packages/django/core/handlers.py"
    ));
    assert!(!in_app_path(r"C:\shop\node_modules\express\index.js"));
    assert!(!in_app_path(
        "/root/go/pkg/mod/github.com/gin-gonic/gin@v1.9/gin.go"
    ));
    assert!(!in_app_path("/usr/local/bundle/gems/rack-3.0/lib/rack.rb"));
    assert!(!in_app_path("/var/www/vendor/laravel/framework/Kernel.php"));
    for (module, is_own) in [
        ("com.shop.Cart", true),
        ("org.springframework.web.Filter", false),
    ] {
        assert_eq!(
            in_app(FrameFacts {
                module: Some(module),
                ..FRAME
            }),
            is_own
        );
    }
    for (function, is_own) in [("shop::cart::pay", true), ("std::panicking::try", false)] {
        assert_eq!(in_app(functions(&[function])[0]), is_own);
    }
}

#[test]
fn an_unknown_frame_is_not_the_applications() {
    assert!(!in_app(FrameFacts {
        in_app: None,
        ..FRAME
    }));
}

#[test]
fn later_rules_win_and_see_what_earlier_ones_did() {
    let rules = StackRules::parse("function:a* -app\n\nfunction:ab +app\napp:no -group").unwrap();
    let ruling = rules.apply(&functions(&["ab", "ac"]), &ExceptionFacts::default());
    let seen: Vec<_> = ruling
        .frames
        .iter()
        .map(|frame| (frame.in_app, frame.is_ignored))
        .collect();
    assert_eq!(seen, [(true, false), (false, true)]);
    let rule = rules.rule(ruling.frames[1].group_rule.unwrap());
    assert_eq!(
        (rule.origin, rule.line, rule.text),
        (Origin::Project, 4, "app:no -group")
    );
}

#[test]
fn a_rule_does_not_see_its_own_effects() {
    let text = "function:a category=x\n[ category:x ] | function:* category=x\ncategory:x -group";
    assert_eq!(ignored(text, &["a", "b", "c"]), [true, true, false]);
}

#[test]
fn ranges() {
    let frames = ["a", "b", "c"];
    assert_eq!(ignored("function:b ^-group", &frames), [false, false, true]);
    assert_eq!(ignored("function:b v-group", &frames), [true, false, false]);
    assert_eq!(
        ignored("function:b -group v-group", &frames),
        [true, true, false]
    );
    assert_eq!(ignored("!function:b -group", &frames), [true, false, true]);
    assert_eq!(ignored("!path:x -group", &frames), [true, true, true]);
    assert_eq!(
        ignored("function:x ^-group", &frames),
        [false, false, false]
    );
    assert_eq!(ignored("function:* ^-group", &frames), [false, true, true]);
}

#[test]
fn neighbours() {
    let frames = ["a", "b", "c"];
    assert_eq!(
        ignored("[ function:a ] | function:* -group", &frames),
        [false, true, false]
    );
    assert_eq!(
        ignored("function:* | [ function:c ] -group", &frames),
        [false, true, false]
    );
    assert_eq!(
        ignored("[ !function:a ] | function:* -group", &frames),
        [false, false, true]
    );
    assert_eq!(
        ignored("function:* | [ !function:x ] -group", &frames),
        [true, true, false]
    );
    let both = "[ function:a ] | function:b | [ function:c ] -group";
    assert_eq!(ignored(both, &frames), [false, true, false]);
}

#[test]
fn a_neighbour_may_be_of_another_family() {
    let script = FrameFacts {
        family: Family::JavaScript,
        path: Some("/a.js"),
        ..FRAME
    };
    let native = functions(&["call"])[0];
    let text = "[ family:native function:x ] | family:javascript -group";
    assert!(
        StackRules::parse(text).is_err(),
        "brackets hold one matcher"
    );
    let ruling = apply(
        "[ function:call ] | family:javascript path:/*.js -group",
        &[native, script],
    );
    assert!(ruling.frames[1].is_ignored);
}

#[test]
fn exceptions_and_limits() {
    let text =
        "type:Foo* value:bar max-frames=2 min-frames=1\nmechanism:<unknown> invert-stacktrace=1";
    let rules = StackRules::parse(text).unwrap();
    let facts = ExceptionFacts {
        kind: Some("FooError"),
        value: Some("bar"),
        mechanism: None,
    };
    let ruling = rules.apply(&functions(&["a"]), &facts);
    assert_eq!(ruling.max_frames.map(|limit| limit.0), Some(2));
    assert_eq!(ruling.min_frames.map(|limit| limit.0), Some(1));
    assert_eq!(
        ruling.inverted_by.map(|rule| rules.rule(rule).line),
        Some(2)
    );
    let other = rules.apply(&functions(&["a"]), &ExceptionFacts::default());
    assert_eq!(other.max_frames, None);
}

#[test]
fn paths_are_tried_with_and_without_a_slash() {
    let matches = |pattern: &str, path: &str| {
        let frame = FrameFacts {
            path: Some(path),
            in_app: None,
            ..FRAME
        };
        apply(&format!("path:{pattern} +app"), &[frame]).frames[0].in_app
    };
    assert!(matches("/app.py", "app.py") && matches("app.py", "app.py"));
    assert!(matches("/app.py", "/app.py") && !matches("app.py", "/app.py"));
    assert!(matches("**/Src/**", r"c:\src\a") && matches("**/src/**", "src/a"));
    assert!(matches("src/**", "src/a/b") && !matches("src/**", "/src/a/b"));
}

#[test]
fn bad_rules_name_the_line_the_column_and_the_problem() {
    for (text, expected) in [
        (
            "function:a",
            "line 1, column 11: a rule ends with an action",
        ),
        (
            "\n# fine\n -app",
            "line 3, column 2: a rule begins with a matcher",
        ),
        (
            "nonsense:a -app",
            "line 1, column 1: there is no matcher `nonsense`",
        ),
        (
            "function:é b:c -app",
            "line 1, column 12: there is no matcher `b`",
        ),
        (
            "function:a -app b:c",
            "line 1, column 17: `b:c` is neither a matcher nor an action",
        ),
        (
            "function:a +prefix",
            "line 1, column 12: `+prefix` is neither a matcher nor an action",
        ),
        (
            "function:a max-frames=x",
            "line 1, column 12: `max-frames=x` has a value that it cannot have",
        ),
        (
            "function:\"a -app",
            "line 1, column 10: a quote does not end",
        ),
        (
            "function -app",
            "line 1, column 1: `function` is neither a matcher nor an action",
        ),
        (
            "type:[a -app",
            "line 1, column 1: the pattern `[a` cannot be read",
        ),
        (
            "[ function:a ] function:b -app",
            "line 1, column 16: a bar divides brackets from the frame: `[ … ] | …`",
        ),
        (
            "[ function:a function:b ] | app:yes -app",
            "line 1, column 14: brackets hold exactly one matcher: `[ key:pattern ]`",
        ),
        (
            "[ function:a ] | -app",
            "line 1, column 18: a rule begins with a matcher",
        ),
    ] {
        let errors = StackRules::parse(text).unwrap_err();
        assert_eq!(
            errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [expected]
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_up_to_a_limit() {
    let lines = |count: usize| vec!["x:y -app"; count].join("\n");
    let told = |count| StackRules::parse(&lines(count)).unwrap_err().len();
    assert_eq!(told(2), 2);
    assert_eq!(told(PROBLEMS_MAX + 1), PROBLEMS_MAX);
}

#[test]
fn rules_have_limits() {
    let rules = |count: usize| vec!["app:yes -app"; count].join("\n");
    assert!(StackRules::parse(&rules(RULES_MAX)).is_ok());
    let errors = StackRules::parse(&rules(RULES_MAX + 1)).unwrap_err();
    assert_eq!(
        (errors[0].line, &errors[0].problem),
        (RULES_MAX + 1, &Problem::TooManyRules)
    );
    let pattern = |bytes: usize| format!("function:{} -app", "x".repeat(bytes));
    assert!(StackRules::parse(&pattern(PATTERN_BYTES_MAX)).is_ok());
    let errors = StackRules::parse(&pattern(PATTERN_BYTES_MAX + 1)).unwrap_err();
    assert_eq!(errors[0].problem, Problem::LongPattern);
    let text = |bytes: usize| format!("#{}", "x".repeat(bytes - 1));
    assert!(StackRules::parse(&text(RULES_BYTES_MAX)).is_ok());
    let errors = StackRules::parse(&text(RULES_BYTES_MAX + 1)).unwrap_err();
    assert_eq!(errors[0].problem, Problem::LongText);
}

#[test]
fn quotes_and_escapes() {
    let matches = |pattern: &str, function: &str| {
        apply(
            &format!("function:{pattern} -group # why"),
            &functions(&[function]),
        )
        .frames[0]
            .is_ignored
    };
    assert!(matches(r#""a b""#, "a b"));
    assert!(matches(r#""a \"b\"""#, r#"a "b""#));
    assert!(matches(r"a\\*", "a*") && !matches(r"a\\*", "ab"));
    assert!(matches("\"#hash\"", "#hash"));
}

#[test]
fn bad_frame_patterns_never_match() {
    assert_eq!(
        ignored("function:[a -group\n!function:[a v-group", &["[a", "b"]),
        [true, false]
    );
    assert_eq!(ignored("app:maybe -group", &["a"]), [false]);
}

#[test]
fn fingerprint_rules_tell_what_is_wrong() {
    for (text, expected) in [
        (
            "type:A",
            "line 1, column 7: an arrow `->` stands between matchers and fingerprint",
        ),
        (" -> a", "line 1, column 2: a rule begins with a matcher"),
        (
            "type:A ->",
            "line 1, column 10: a fingerprint follows the arrow",
        ),
        (
            "type:A -> {{ nothing }}",
            "line 1, column 11: there is no variable `nothing`",
        ),
        (
            "type:A -> a level=\"x\"",
            "line 1, column 13: there is no attribute `level`, only title",
        ),
        (
            "kind:A -> a",
            "line 1, column 1: there is no matcher `kind`",
        ),
        (
            "message:[ -> a",
            "line 1, column 1: the pattern `[` cannot be read",
        ),
    ] {
        let errors = FingerprintRules::parse(text).unwrap_err();
        assert_eq!(
            errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [expected]
        );
    }
    let good =
        r#"!tags."my key":"a b" app:yes -> a-{{ type }}, {{default}} "b c" title="x {{ level }}""#;
    assert!(FingerprintRules::parse(good).is_ok());
}
