package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hew/bench/leaves"
	"hew/bench/peers"
	"hew/ir"
	"hew/predict"
)

// installedPeers and noPeers stand for names of peers.
const (
	installedPeers = "installed"
	noPeers        = "none"
)

// startPeers starts the predictors of others for e, which reference scores, as names
// tell. It says which of those that could be installed are left out.
func startPeers(cmd *cobra.Command, names []string, file string, e *ir.Ensemble, reference predict.Info, x predict.Values) (*peers.Set, error) {
	if slices.Equal(names, []string{noPeers}) {
		return &peers.Set{}, nil
	}
	installed := slices.Equal(names, []string{installedPeers})
	for _, name := range names {
		if !installed && !slices.Contains(peers.Names(), name) {
			return nil, usagef("unknown peer %q; there are: %s, or %s, or %s", name, strings.Join(peers.Names(), ", "), installedPeers, noPeers)
		}
	}
	stderr := cmd.ErrOrStderr()
	if !readByPeers(e) {
		if !installed {
			return nil, fmt.Errorf("%s: peers read XGBoost's JSON and UBJSON; this is a model of %s %s", file, e.Source.Trainer, e.Source.Container)
		}
		fmt.Fprintln(stderr, "hew: no peers: they read XGBoost's JSON and UBJSON")
		return &peers.Set{}, nil
	}
	choice := peers.Choice{
		Names:   names,
		Skip:    func(err error) { fmt.Fprintf(stderr, "hew: %v\n", err) },
		Working: func(what string) func() { return working(stderr, what) },
	}
	dir, err := peers.Dir()
	if err != nil {
		return nil, err
	}
	if installed {
		choice.Names = nil
		if _, err := os.Stat(dir); err != nil {
			fmt.Fprintln(stderr, "hew: no peers are installed; `make peers` in hew's repository installs them")
			return &peers.Set{}, nil
		}
	}
	text, err := leaves.Text(e)
	if err != nil {
		text = nil // some peers do without
	}
	return peers.Start(cmd.Context(), dir, peers.Model{
		File: file, Text: text, Features: len(e.Features), Outputs: reference.NumOutputs, BaseMargin: e.BaseMargin,
	}, x, choice)
}

// readByPeers reports whether peers can read the file of e.
func readByPeers(e *ir.Ensemble) bool {
	return e.Source.Trainer == "xgboost" && (e.Source.Container == "json" || e.Source.Container == "ubjson")
}
