package netio

import (
	"errors"
	"net/url"
	"strings"
)

// Masked stands for a secret where settings are shown.
const Masked = "***"

// ShownURL returns a text in which, if it is a URL, what is secret is masked: the
// password, a user without one, which is a token, and what the query calls a
// secret. url.Parse does not take several servers, nor what is malformed.
func ShownURL(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		if at, colon := strings.LastIndexByte(text, '@'), strings.IndexByte(text, ':'); 0 <= colon && colon < at {
			return text[:colon+1] + Masked + text[at:] // whatever it is meant to be
		}
		return text
	}
	end := endOfAuthority(rest)
	if cutsSecret(rest) {
		end = len(rest)
	}
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

// endOfAuthority returns the length of what may be servers and their user.
func endOfAuthority(rest string) int {
	return min(strings.IndexAny(rest+"/", "/?#"), len(rest))
}

// cutsSecret reports whether the servers seem to end in the middle of a password,
// at one of its characters that ends them, since what would be the port is none.
func cutsSecret(rest string) bool {
	end := endOfAuthority(rest)
	if strings.Contains(rest[:end], "@") || !strings.Contains(rest[end:], "@") {
		return false
	}
	last := rest[strings.LastIndexByte(rest[:end], ',')+1 : end] // of several servers
	_, port, found := strings.Cut(last, ":")
	return found && strings.Trim(port, "0123456789") != "" && !strings.HasPrefix(last, "[")
}

// CheckSecret refuses a URL whose password is cut short. The error does not have
// it.
func CheckSecret(text string) error {
	if _, rest, _ := strings.Cut(text, "://"); cutsSecret(rest) {
		return errSecretCut
	}
	return nil
}

// ParseURL is url.Parse. The error is the cause alone, without what may be secret.
func ParseURL(text string) (*url.URL, error) {
	if err := CheckSecret(text); err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	switch {
	case err == nil:
		return u, nil
	case strings.Contains(text, "@"):
		return nil, errSecretBad
	}
	return nil, errors.Unwrap(err)
}

var (
	errSecretCut = errors.New("a password ends at / ? or #: write them as %2F %3F and %23, and @ as %40")
	errSecretBad = errors.New("it is no URL: write what has a meaning of its own in a user or password as % and two hexadecimal digits")
)

func namesSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"token", "key", "secret", "pass", "auth", "sig", "user"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
