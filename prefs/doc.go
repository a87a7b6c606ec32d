// Package prefs decides what a consumer wants: the closed vocabulary of tags,
// what is learned from complaints, what was said explicitly, what was
// consented to, and which of them wins. It does no I/O.
package prefs
