"""Labels proved: a prover in balls, a checker that follows nothing, files; needs python-flint."""

from flowsam.certify.checking import Refused, Unproved
from flowsam.certify.plane_proofs import PlaneProof, prove_plane
from flowsam.certify.proof_files import check_file, load_proof, save_proof
from flowsam.certify.proofs import Problem, Proof, ProvedScale, prove, prove_scale
from flowsam.certify.proved_leaders import ProvedLeaders, prove_leaders

__all__ = [
    "PlaneProof",
    "Problem",
    "Proof",
    "ProvedLeaders",
    "ProvedScale",
    "Refused",
    "Unproved",
    "check_file",
    "load_proof",
    "prove",
    "prove_leaders",
    "prove_plane",
    "prove_scale",
    "save_proof",
]
