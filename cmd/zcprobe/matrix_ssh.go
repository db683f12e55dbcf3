package main

import (
	"github.com/zcprobe/zcprobe/matrix"
	"github.com/zcprobe/zcprobe/matrix/driver"
)

// namedTargets is targets, where a word may name a host as well.
func namedTargets(words []string) ([]*matrix.Target, error) {
	var ids []string
	var hosts []*matrix.Target
	for _, word := range words {
		t, err := driver.SSHTarget(word)
		switch {
		case err != nil:
			return nil, usage(err)
		case t != nil:
			hosts = append(hosts, t)
		default:
			ids = append(ids, word)
		}
	}
	if len(ids) == 0 {
		return hosts, nil
	}
	list, err := targets(ids)
	return append(list, hosts...), err
}
