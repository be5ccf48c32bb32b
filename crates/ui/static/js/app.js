// Everything here only improves pages that work without it.
import "./theme.js";
import "./copy.js";
import "./time.js";
import "./live.js";
import "./menu.js";
import "./select.js";
import "./keys.js";
import "./search.js";
