package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hew"
	"hew/kernel"
)

// checkCPU refuses a level in HEW_CPU that means nothing or that this processor
// does not have. Generated packages, which have nobody to tell, take the best that
// there is instead.
func checkCPU(cmd *cobra.Command, _ []string) error {
	level, has := os.Getenv("HEW_CPU"), kernel.ThisCPU().String() // no more than level
	switch level {
	case "", has:
		return nil
	case "avx2", "avx512":
		fmt.Fprintf(cmd.ErrOrStderr(), "hew: HEW_CPU is %s, but this processor is %s\n", level, has)
	default:
		fmt.Fprintf(cmd.ErrOrStderr(), "hew: HEW_CPU is %q; it may be generic, avx2 or avx512\n", level)
	}
	return exitStatus(2)
}

// cpuText returns the level of c and what it has.
func cpuText(c kernel.CPU) string {
	var has []string
	for _, f := range []struct {
		name string
		ok   bool
	}{{"AVX2", c.AVX2}, {"AVX-512", c.AVX512}, {"VBMI", c.VBMI}, {"GFNI", c.GFNI}} {
		if f.ok {
			has = append(has, f.name)
		}
	}
	text := c.String()
	if len(has) > 0 {
		text += ": " + strings.Join(has, ", ")
	}
	if level := os.Getenv("HEW_CPU"); level != "" {
		text += " (HEW_CPU is " + level + ")"
	}
	return text
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of hew and what the processor has for it",
		Long: `Print the version of hew and what the processor has for it. The environment
variable HEW_CPU, generic, avx2 or avx512, holds engines to a lower level.`,
		Args: models(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "hew %s\ncpu %s\n", hew.Version, cpuText(kernel.ThisCPU()))
			return err
		},
	}
}
