package netio

import "strings"

// Masked stands for a secret where settings are shown.
const Masked = "***"

// ShownURL returns a text in which, if it is a URL, what is secret is masked: the
// password, a user without one, which is a token, and what the query calls a
// secret. url.Parse does not take several servers, nor what is malformed.
func ShownURL(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	end := strings.IndexAny(rest+"/", "/?#")
	end = min(end, len(rest))
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		user, _, has := strings.Cut(rest[:at], ":")
		if has {
			user += ":" + Masked
		} else {
			user = Masked
		}
		rest = user + rest[at:]
	}
	before, query, found := strings.Cut(rest, "?")
	if !found {
		return scheme + "://" + rest
	}
	query, fragment, _ := strings.Cut(query, "#")
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" && namesSecret(name) {
			pairs[i] = name + "=" + Masked
		}
	}
	shown := scheme + "://" + before + "?" + strings.Join(pairs, "&")
	if fragment != "" {
		shown += "#" + fragment
	}
	return shown
}

func namesSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"token", "key", "secret", "pass", "auth", "sig", "user"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
