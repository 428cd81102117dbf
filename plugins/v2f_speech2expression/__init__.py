"""Speech2expression: Deng, Speech2expression: Change the Expression Behind a Voice; both of its approaches."""

from v2f_bench import Method, hookimpl
from v2f_speech2expression.latent_search import LatentSearch
from v2f_speech2expression.pix2pix_sign import Pix2PixSign


@hookimpl
def v2f_bench_methods() -> list[type[Method]]:
    return [LatentSearch, Pix2PixSign]
