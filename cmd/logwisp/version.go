package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker for a release.
var version = ""

// buildVersion returns the version of this build.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// versionCommand prints what this build is.
type versionCommand struct {
	JSON bool `name:"json" help:"Print it as JSON, with the revision and what built it."`
}

func (c *versionCommand) Run(std *stdio) error {
	if !c.JSON {
		fmt.Fprintln(std.out, "logwisp "+buildVersion())
		return nil
	}
	build := struct {
		Name     string `json:"name"`
		Version  string `json:"version"`
		Revision string `json:"revision,omitempty"` // of the sources, when they were under version control
		Time     string `json:"time,omitempty"`     // of that revision, RFC 3339
		Modified bool   `json:"modified,omitempty"` // the sources were not that revision's
		Go       string `json:"go"`
		Platform string `json:"platform"`
	}{Name: "logwisp", Version: buildVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				build.Revision = s.Value
			case "vcs.time":
				build.Time = s.Value
			case "vcs.modified":
				build.Modified = s.Value == "true"
			}
		}
	}
	return json.NewEncoder(std.out).Encode(build)
}
