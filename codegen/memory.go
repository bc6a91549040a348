package codegen

import "hew/ir"

// What the Go compiler takes. Fitted to go1.26 on amd64 with two cores: 500 trees
// of 43,000 nodes in all forms take 912, 590, 483 and 145 MB, 700 trees of 57,000
// nodes 1121, 734 and 173 MB, 4,000 trees of 343,000 nodes in the plainest 745 MB;
// 5,000 trees of one, three and seven splits 986, 864 and 1086 MB, in the plainest
// 272, 334 and 385 MB; 10,000 features 80 MB; sets of 385,000, 482,000 and 1,770,000
// numbers 140, 191 and 592 MB. Trees over float64 take as much as those over float32.
// 4,000 columns of two, one and two operations, of these a table of eight numbers, take
// 172, 240 and 350 MB, 2,000 stages 111 MB, a stage of 60,000 numbers 91 MB.
const (
	memoryBase    = 60 << 20 // the compiler itself, with the standard library's export data
	memoryTree    = 36 << 10 // a tree's function and its calls
	memoryAgain   = 10 << 10 // the calls alone, of a tree that shares its function
	memoryFunc    = 8 << 10  // a function more
	memoryBranch  = 4 << 10
	memoryChoice  = 24 << 10 // an inlined call of pick
	memoryKey     = 15 << 10 // an inlined call of key
	memoryStump   = 90 << 10 // a tree that is inlined where it is called, for a row and for a block
	memoryFeature = 2 << 10  // a description in Meta
	memoryField   = 8 << 10  // a field of Row
	memoryLiteral = 800      // a number in a table
	memorySet     = 250      // a number in the table of a set
	memoryColumn  = 40 << 10 // a column's function and its inlined call
	memoryOp      = 15 << 10 // an operation in it
	memoryStage   = 60 << 10 // a stage in the function of an answer
	memoryNumber  = 1600     // a number in a table of a column or a stage, of many digits
	memoryKernel  = 87 << 20 // the compiler at work on the sources of package kernel
	memoryAsm     = 11 << 20 // what it and the assembler take more with assembly

	defaultMaxMemory = 1 << 30
)

// EstimateMemory returns the peak memory that compiling the package that Branch
// prints will take, in bytes; what was measured lies within a tenth of it for
// models that somebody trained, and within a third for thousands of stumps.
//
// The model is linear because functions are bounded: the compiler keeps the
// syntax of the whole package, in which each inlined call counts for itself.
func EstimateMemory(e *ir.Ensemble, o Options) int64 {
	o, err := o.complete(e)
	if err != nil {
		return 0
	}
	p := &printer{e: e, o: o}
	_, _, bytes := p.choose()
	return bytes
}

// choose returns the first form that stays below MaxMemory, or else the last,
// with a plan for each tree and the estimate.
func (p *printer) choose() (f form, plans []*plan, bytes int64) {
	s := newSharer(p.e)
	for _, f = range forms {
		plans = plans[:0]
		bytes = memoryBase + memorySchema(p.e) + memoryPipeline(p.e)
		if l := p.e.Linear; l != nil {
			bytes += int64(len(l.Weights)) * memoryLiteral
		}
		for _, s := range p.e.Sets {
			if len(s) > 2*maxIntervals {
				bytes += int64(len(s)) * memorySet
			}
		}
		for i, share := range s.shares(f.shares()) {
			if body := s.bodies[i]; body != i {
				plans = append(plans, plans[body])
				bytes += memoryAgain
				continue
			}
			pl := p.planTree(i, f, share)
			plans = append(plans, pl)
			bytes += memoryTree + pl.memory(f)
		}
		if bytes <= p.o.MaxMemory {
			break
		}
	}
	return f, plans, bytes
}

func (pl *plan) memory(f form) int64 {
	splits := pl.branches + pl.choices
	bytes := int64(splits)*memoryBranch + int64(pl.choices)*memoryChoice + int64(pl.funcs-1)*memoryFunc
	if f.named {
		bytes += int64(splits) * memoryKey
	}
	if splits == 1 && f.inlined() {
		bytes += memoryStump
	}
	return bytes
}

// EstimateTableMemory returns the peak memory that compiling the package that
// Table prints will take, in bytes. The model's size does not matter, but for the
// branch code of few rows.
func EstimateTableMemory(e *ir.Ensemble, o Options, k Kernel) int64 {
	o, err := o.complete(e)
	if err != nil {
		return 0
	}
	bytes := int64(memoryKernel)
	if !k.Portable {
		bytes += memoryAsm
	}
	if k.BranchRows > 0 {
		_, _, branch := (&printer{e: e, o: o}).choose()
		return bytes + branch - memoryBase
	}
	return bytes + memorySchema(e) + memoryPipeline(e)
}

// memoryPipeline returns what columns and stages take. A stage that several answers
// need is printed for each.
func memoryPipeline(e *ir.Ensemble) int64 {
	bytes := int64(0)
	for _, c := range columnsOfRow(e) {
		if len(c.Ops) == 0 {
			bytes += memoryField
			continue
		}
		bytes += memoryColumn
		for i := range c.Ops {
			bytes += memoryOp + int64(len(c.Ops[i].Keys)+len(c.Ops[i].Values))*memoryNumber
		}
	}
	for _, a := range e.Answers {
		for _, i := range stagesOf(e, a.Vector) {
			bytes += memoryStage + int64(len(e.Post[i].Weights))*memoryNumber
		}
	}
	return bytes
}

// memorySchema returns what Meta and Row take.
func memorySchema(e *ir.Ensemble) int64 {
	bytes := int64(len(e.Features)) * memoryFeature
	if len(e.Features) <= maxFields {
		bytes += int64(len(e.Features)) * memoryField
	}
	return bytes
}
