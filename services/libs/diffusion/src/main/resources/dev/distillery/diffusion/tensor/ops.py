# The operators and blocks that DJL's NDArray lacks, in TorchScript's serialized dialect (no imports, every argument
# typed). A whole block is one method: its intermediate tensors live and die inside libtorch as in Python, and one call
# crosses JNI instead of twenty. Weights come as a list in the order in which the checkpoint names them; numbers
# (groups, eps, heads) come as one-element tensors.
#
# The activations' type decides the arithmetic's: in bfloat16, weights are cast where a product or convolution uses them,
# which is what torch.autocast does. Norms have float32 weights: autocast norms bfloat16 activations as they are on the CPU,
# and in float32, with what follows up to the next product, on a GPU.
class Ops(Module):
  __parameters__ = []
  __buffers__ = []

  # --- tensors -------------------------------------------------------------------------------------------------------
  def to_dtype(self: __torch__.Ops, x: Tensor, dtype: Tensor) -> Tensor:
    return torch.to(x, int(dtype))

  # numbers of another type (PyTorch's number of it), as they lie in a file -> float32
  def floats_of_bytes(self: __torch__.Ops, bytes: Tensor, dtype: Tensor) -> Tensor:
    return torch.to(torch.view_copy(bytes, dtype=int(dtype)), 6)

  def add_to(self: __torch__.Ops, sum: Tensor, part: Tensor) -> Tensor:
    return torch.add_(sum, part)

  # --- layers --------------------------------------------------------------------------------------------------------
  def linear(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.linear(x, torch.to(w, x.dtype), torch.to(b, x.dtype))

  def linear_no_bias(self: __torch__.Ops, x: Tensor, w: Tensor) -> Tensor:
    return torch.linear(x, torch.to(w, x.dtype))

  def conv2d(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return torch.conv2d(x, torch.to(w, x.dtype), torch.to(b, x.dtype), [stride, stride], [pad, pad], [1, 1], 1)

  # 3x3 with padding 1, or 1x1
  def conv(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return (self).conv2d(x, w, b, 1, torch.floordiv(torch.size(w, 2), 2))

  # what a norm takes of activations, to be given back in their type once a product follows
  def normable(self: __torch__.Ops, x: Tensor) -> Tensor:
    if x.is_cuda:
      h = torch.to(x, 6)
    else:
      h = x
    return h

  def norm_of_channels(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor, eps: float) -> Tensor:
    return torch.to(torch.layer_norm((self).normable(x), [torch.size(x, -1)], w, b, eps), x.dtype)

  def group_norm_silu(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor, groups: int, eps: float) -> Tensor:
    return torch.to(torch.silu(torch.group_norm((self).normable(x), groups, w, b, eps)), x.dtype)

  def group_norm_silu_conv(self: __torch__.Ops, x: Tensor, w: List[Tensor], groups: Tensor, eps: Tensor) -> Tensor:
    return (self).conv((self).group_norm_silu(x, w[0], w[1], int(groups), float(eps)), w[2], w[3])

  def upsample_twice(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    size = [torch.mul(torch.size(x, 2), 2), torch.mul(torch.size(x, 3), 2)]
    return (self).conv(torch.upsample_nearest2d(x, size), w, b)

  # --- U-Net ---------------------------------------------------------------------------------------------------------
  # A unit is a method: first its inputs, then its weights, then numbers. What a unit costs is in UnitCosts.java.
  # sinusoids of t (M,): cosines first, frequencies 10000^(-i/half) -> (M, width)
  def timestep_sinusoids(self: __torch__.Ops, t: Tensor, width: Tensor) -> Tensor:
    half = torch.floordiv(int(width), 2)
    exponent = torch.mul(torch.arange(half, dtype=6, device=t.device), -9.210340371976184)
    freqs = torch.exp(torch.div(exponent, half))
    angles = torch.mul(torch.unsqueeze(torch.to(t, 6), 1), torch.unsqueeze(freqs, 0))
    return torch.cat([torch.cos(angles), torch.sin(angles)], -1)

  def conv_in(self: __torch__.Ops, x: Tensor, w: List[Tensor]) -> Tensor:
    return (self).conv(x, w[0], w[1])

  def embedding_mlp(self: __torch__.Ops, x: Tensor, w: List[Tensor]) -> Tensor:
    return (self).linear(torch.silu((self).linear(x, w[0], w[1])), w[2], w[3])

  def add_embedding(self: __torch__.Ops, temb: Tensor, x: Tensor, w: List[Tensor]) -> Tensor:
    return torch.add(temb, (self).embedding_mlp(x, w))

  # w: norm1, conv1, time_emb_proj, norm2, conv2 [, conv_shortcut], each weight and bias
  def resnet(self: __torch__.Ops, x: Tensor, temb: Tensor, w: List[Tensor], groups: Tensor, eps: Tensor) -> Tensor:
    g = int(groups)
    e = float(eps)
    h = (self).conv((self).group_norm_silu(x, w[0], w[1], g, e), w[2], w[3])
    t = (self).linear(torch.silu(temb), w[4], w[5])
    h0 = torch.add(h, torch.unsqueeze(torch.unsqueeze(t, -1), -1))
    h1 = (self).conv((self).group_norm_silu(h0, w[6], w[7], g, e), w[8], w[9])
    if torch.gt(torch.len(w), 10):
      shortcut = (self).conv(x, w[10], w[11])
    else:
      shortcut = x
    return torch.add(shortcut, h1)

  # of x beside the skip connection of its depth, in the channels
  def resnet_with_skip(self: __torch__.Ops, x: Tensor, skip: Tensor, temb: Tensor, w: List[Tensor], groups: Tensor, eps: Tensor) -> Tensor:
    return (self).resnet(torch.cat([x, skip], 1), temb, w, groups, eps)

  def downsample(self: __torch__.Ops, x: Tensor, w: List[Tensor]) -> Tensor:
    return (self).conv2d(x, w[0], w[1], 2, 1)

  # the target size is that of the skip connection: odd sizes lose a row on the way down
  def upsample(self: __torch__.Ops, x: Tensor, like: Tensor, w: List[Tensor]) -> Tensor:
    size = [torch.size(like, 2), torch.size(like, 3)]
    return (self).conv(torch.upsample_nearest2d(x, size), w[0], w[1])

  # (B, C, H, W) -> normalised, projected tokens (B, H*W, C); w: norm, proj_in; a 4-d projection is a 1x1 convolution
  def to_tokens(self: __torch__.Ops, x: Tensor, w: List[Tensor], groups: Tensor) -> Tensor:
    h = torch.to(torch.group_norm((self).normable(x), int(groups), w[0], w[1], 1.0e-06), x.dtype)
    if torch.eq(torch.dim(w[2]), 4):
      h0 = torch.transpose(torch.flatten((self).conv(h, w[2], w[3]), 2), 1, 2)
    else:
      h0 = (self).linear(torch.transpose(torch.flatten(h, 2), 1, 2), w[2], w[3])
    return h0

  # tokens (B, H*W, C) -> (B, C, H, W), copied: a view has its channels last, and each convolution after it would bring its
  # kernel into that order
  def map_of_tokens(self: __torch__.Ops, tokens: Tensor, like: Tensor) -> Tensor:
    return torch.contiguous(torch.reshape(torch.transpose(tokens, 1, 2), torch.size(like)))

  # tokens (B, H*W, C) -> (B, C, H, W), projected and added to the residual; w: proj_out
  def from_tokens(self: __torch__.Ops, tokens: Tensor, residual: Tensor, w: List[Tensor]) -> Tensor:
    if torch.eq(torch.dim(w[0]), 4):
      h = (self).conv((self).map_of_tokens(tokens, residual), w[0], w[1])
    else:
      h = (self).map_of_tokens((self).linear(tokens, w[0], w[1]), residual)
    return torch.add(h, residual)

  # y = w x with what a LoRA adds, scale * b (a x), as peft does. lora: a (rank, in), b (out, rank) and scale of each product
  # of a unit, a number in the place of an a that is none; empty for a unit without any
  def adapted(self: __torch__.Ops, y: Tensor, x: Tensor, lora: List[Tensor], product: int) -> Tensor:
    i = torch.mul(product, 3)
    if torch.gt(torch.len(lora), i):
      is_adapted = torch.eq(torch.dim(lora[i]), 2)
    else:
      is_adapted = False
    if is_adapted:
      narrow = torch.linear(x, torch.to(lora[i], x.dtype))
      h = torch.add(y, torch.mul(torch.linear(narrow, torch.to(lora[torch.add(i, 1)], x.dtype)), lora[torch.add(i, 2)]))
    else:
      h = y
    return h

  # w: to_q, to_k, to_v, to_out weight, to_out bias; lora of these four
  def attention(self: __torch__.Ops, x: Tensor, context: Tensor, w: List[Tensor], lora: List[Tensor], heads: Tensor) -> Tensor:
    n = int(heads)
    q = (self).adapted((self).linear_no_bias(x, w[0]), x, lora, 0)
    k = (self).adapted((self).linear_no_bias(context, w[1]), context, lora, 1)
    v = (self).adapted((self).linear_no_bias(context, w[2]), context, lora, 2)
    qh = torch.transpose(torch.unflatten(q, -1, [n, -1]), 1, 2)
    kh = torch.transpose(torch.unflatten(k, -1, [n, -1]), 1, 2)
    vh = torch.transpose(torch.unflatten(v, -1, [n, -1]), 1, 2)
    h = torch.flatten(torch.transpose(torch.scaled_dot_product_attention(qh, kh, vh), 1, 2), 2)
    return (self).adapted((self).linear(h, w[3], w[4]), h, lora, 3)

  # w: norm1 (2), attn1 (5) [, lora of attn1 (4 x 3)]
  def self_attention(self: __torch__.Ops, x: Tensor, w: List[Tensor], heads: Tensor) -> Tensor:
    n = (self).norm_of_channels(x, w[0], w[1], 1.0e-05)
    return (self).attention(n, n, torch.slice(w, 2, 7), torch.slice(w, 7), heads)

  # what follows the self attention; w: norm2 (2), attn2 (5), norm3 (2), ff.net.0.proj (2), ff.net.2 (2) [, lora of attn2, ff (6 x 3)]
  def transformer_block(self: __torch__.Ops, x: Tensor, attended: Tensor, context: Tensor, w: List[Tensor], heads: Tensor) -> Tensor:
    x1 = torch.add(attended, x)
    n2 = (self).norm_of_channels(x1, w[0], w[1], 1.0e-05)
    lora = torch.slice(w, 13)
    x2 = torch.add((self).attention(n2, context, torch.slice(w, 2, 7), lora, heads), x1)
    n3 = (self).norm_of_channels(x2, w[7], w[8], 1.0e-05)
    value, gate = torch.chunk((self).adapted((self).linear(n3, w[9], w[10]), n3, lora, 4), 2, -1)
    gated = torch.mul(value, torch.gelu(gate))
    return torch.add((self).adapted((self).linear(gated, w[11], w[12]), gated, lora, 5), x2)

  # --- auto-encoder --------------------------------------------------------------------------------------------------
  # w: norm1, conv1, norm2, conv2 [, conv_shortcut], each weight and bias
  def vae_resnet(self: __torch__.Ops, x: Tensor, w: List[Tensor], groups: Tensor) -> Tensor:
    g = int(groups)
    h = (self).conv((self).group_norm_silu(x, w[0], w[1], g, 1.0e-06), w[2], w[3])
    h0 = (self).conv((self).group_norm_silu(h, w[4], w[5], g, 1.0e-06), w[6], w[7])
    if torch.gt(torch.len(w), 8):
      shortcut = (self).conv(x, w[8], w[9])
    else:
      shortcut = x
    return torch.add(shortcut, h0)

  # one head over all channels; w: group_norm, to_q, to_k, to_v, to_out, each weight and bias
  def vae_attention(self: __torch__.Ops, x: Tensor, w: List[Tensor], groups: Tensor) -> Tensor:
    tokens = torch.transpose(torch.flatten(torch.group_norm(x, int(groups), w[0], w[1], 1.0e-06), 2), 1, 2)
    q = torch.unsqueeze(torch.linear(tokens, w[2], w[3]), 1)
    k = torch.unsqueeze(torch.linear(tokens, w[4], w[5]), 1)
    v = torch.unsqueeze(torch.linear(tokens, w[6], w[7]), 1)
    h = torch.squeeze(torch.scaled_dot_product_attention(q, k, v), 1)
    h0 = torch.transpose(torch.linear(h, w[8], w[9]), 1, 2)
    return torch.add(torch.reshape(h0, torch.size(x)), x)

  # padded at the right and the bottom only
  def vae_downsample(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.conv2d(torch.constant_pad_nd(x, [0, 1, 0, 1]), w, b, [2, 2], [0, 0], [1, 1], 1)

  def channels(self: __torch__.Ops, x: Tensor, begin: Tensor, end: Tensor) -> Tensor:
    return torch.contiguous(torch.slice(x, 1, int(begin), int(end)))

  # the second half of the channels is the logarithm of the variance
  def std_of_logvar(self: __torch__.Ops, moments: Tensor) -> Tensor:
    logvar = torch.contiguous(torch.slice(moments, 1, torch.floordiv(torch.size(moments, 1), 2)))
    return torch.exp(torch.mul(torch.clamp(logvar, -30.0, 20.0), 0.5))

  # torch.channels_last; a convolution takes on its kernel's layout. A copy of a 1x1 kernel, too, which is in that order as it is:
  # the original may lie in a mapped file
  def channels_last(self: __torch__.Ops, kernel: Tensor) -> Tensor:
    return torch.clone(kernel, memory_format=2)

  def contiguous(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.contiguous(x)

  # --- CLIP ----------------------------------------------------------------------------------------------------------
  def clip_embed(self: __torch__.Ops, ids: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
    return torch.add(torch.embedding(tokens, ids), torch.slice(positions, 0, 0, torch.size(ids, 1)))

  # pixels (B, 3, H, W) -> the class token and then the patches, row by row (B, 1 + patches, D)
  def clip_patches(self: __torch__.Ops, pixels: Tensor, kernel: Tensor, token: Tensor, positions: Tensor) -> Tensor:
    p = torch.size(kernel, 2)
    patches = torch.transpose(torch.flatten(torch.conv2d(pixels, kernel, None, [p, p], [0, 0], [1, 1], 1), 2), 1, 2)
    tokens = torch.expand(token, [torch.size(pixels, 0), 1, -1])
    return torch.add(torch.cat([tokens, patches], 1), positions)

  # w: layer_norm1, q, k, v, out, layer_norm2, fc1, fc2, each weight and bias [, lora of q, k, v, out (4 x 3)]
  def clip_layer(self: __torch__.Ops, x: Tensor, w: List[Tensor], heads: Tensor, eps: Tensor, quick_gelu: Tensor, causal: Tensor) -> Tensor:
    n = int(heads)
    lora = torch.slice(w, 16)
    h = (self).norm_of_channels(x, w[0], w[1], float(eps))
    q = torch.transpose(torch.unflatten((self).adapted((self).linear(h, w[2], w[3]), h, lora, 0), -1, [n, -1]), 1, 2)
    k = torch.transpose(torch.unflatten((self).adapted((self).linear(h, w[4], w[5]), h, lora, 1), -1, [n, -1]), 1, 2)
    v = torch.transpose(torch.unflatten((self).adapted((self).linear(h, w[6], w[7]), h, lora, 2), -1, [n, -1]), 1, 2)
    a = torch.scaled_dot_product_attention(q, k, v, None, 0., torch.gt(int(causal), 0))
    a0 = torch.flatten(torch.transpose(a, 1, 2), 2)
    x1 = torch.add((self).adapted((self).linear(a0, w[8], w[9]), a0, lora, 3), x)
    f = (self).linear((self).norm_of_channels(x1, w[10], w[11], float(eps)), w[12], w[13])
    if torch.gt(int(quick_gelu), 0):
      g = torch.mul(f, torch.sigmoid(torch.mul(f, 1.702)))
    else:
      g = torch.gelu(f)
    return torch.add((self).linear(g, w[14], w[15]), x1)

  def layer_norm(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor, eps: Tensor) -> Tensor:
    return (self).norm_of_channels(x, w, b, float(eps))

  # row r of x (K, ...) for each row r of a matrix with one 1 in a row (B, K) -> (B, ...); its gradient, unlike that of an
  # index, adds up in the same order each time on a GPU too
  def chosen(self: __torch__.Ops, x: Tensor, rows: Tensor) -> Tensor:
    shape = torch.size(x)
    shape[0] = torch.size(rows, 0)
    return torch.reshape(torch.matmul(rows, torch.flatten(x, 1)), shape)

  # row i of x (B, L, D) at place at[i] -> (B, D)
  def rows_at(self: __torch__.Ops, x: Tensor, at: Tensor) -> Tensor:
    return torch.index(x, annotate(List[Optional[Tensor]], [torch.arange(torch.size(x, 0), device=x.device), at]))

  # --- training ------------------------------------------------------------------------------------------------------
  # mean square error in float32 whatever the inputs' type
  def mse(self: __torch__.Ops, x: Tensor, y: Tensor) -> Tensor:
    return torch.mse_loss(torch.to(x, 6), torch.to(y, 6))

  # the mean over samples of their mean errors, each weighted; weights (B)
  def mean_of_samples(self: __torch__.Ops, error: Tensor, weights: Tensor) -> Tensor:
    return torch.mean(torch.mul(torch.mean(torch.flatten(error, 1), [1]), weights))

  def mse_of_samples(self: __torch__.Ops, x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    return (self).mean_of_samples(torch.square(torch.sub(torch.to(x, 6), torch.to(y, 6))), weights)

  # 0: no reduction
  def huber_of_samples(self: __torch__.Ops, x: Tensor, y: Tensor, weights: Tensor, delta: Tensor) -> Tensor:
    return (self).mean_of_samples(torch.huber_loss(torch.to(x, 6), torch.to(y, 6), 0, float(delta)), weights)

  # the mean square error of each sample (B)
  def mse_by_sample(self: __torch__.Ops, x: Tensor, y: Tensor) -> Tensor:
    return torch.mean(torch.flatten(torch.square(torch.sub(torch.to(x, 6), torch.to(y, 6))), 1), [1])

  # a loss in units of the mean square of what was to be met
  def relative(self: __torch__.Ops, loss: Tensor, target: Tensor) -> Tensor:
    return torch.div(loss, torch.mean(torch.square(torch.to(target, 6))))

  # autograd from these outputs back to the leaves; answers with the first output
  def backward(self: __torch__.Ops, outputs: List[Tensor], gradients: List[Tensor]) -> Tensor:
    given = annotate(List[Optional[Tensor]], [])
    for i in range(torch.len(gradients)):
      _0 = torch.append(given, gradients[i])
    torch.backward(outputs, given)
    return outputs[0]

  def all_finite(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.all(torch.isfinite(x))

  # the global norm of the gradients; scales them in place to at most `limit`, as torch.nn.utils.clip_grad_norm_, but
  # leaves the finite ones finite when the norm is not
  def clip_grad_norm(self: __torch__.Ops, g: List[Tensor], limit: Tensor) -> Tensor:
    norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(g, 2)), 2)
    factor = torch.clamp(torch.mul(torch.reciprocal(torch.add(norm, 1.0e-06)), float(limit)), None, 1.0)
    torch._foreach_mul_(g, torch.nan_to_num(factor))
    return norm

  def zero(self: __torch__.Ops, x: List[Tensor]) -> Tensor:
    torch._foreach_zero_(x)
    return x[0]

  def copy(self: __torch__.Ops, to: List[Tensor], source: List[Tensor]) -> Tensor:
    torch._foreach_copy_(to, source)
    return to[0]

  # each x grows by its y, which may be on another device
  def add_all(self: __torch__.Ops, x: List[Tensor], y: List[Tensor]) -> Tensor:
    for i in range(torch.len(x)):
      _0 = torch.add_(x[i], torch.to(y[i], x[i]))
    return x[0]

  # each x goes a portion of the way to its y, which may be on another device
  def move_towards(self: __torch__.Ops, x: List[Tensor], y: List[Tensor], portion: Tensor) -> Tensor:
    for i in range(torch.len(x)):
      _0 = torch.lerp_(x[i], torch.to(y[i], x[i]), float(portion))
    return x[0]

  # the norm of the differences of all x and y in that of all y, one tensor at a time
  def relative_distance(self: __torch__.Ops, x: List[Tensor], y: List[Tensor]) -> Tensor:
    differences = annotate(List[Tensor], [])
    norms = annotate(List[Tensor], [])
    for i in range(torch.len(x)):
      _0 = torch.append(differences, torch.linalg_vector_norm(torch.sub(x[i], torch.to(y[i], x[i])), 2))
      _1 = torch.append(norms, torch.linalg_vector_norm(y[i], 2))
    distance = torch.linalg_vector_norm(torch.stack(differences), 2)
    return torch.div(distance, torch.to(torch.linalg_vector_norm(torch.stack(norms), 2), distance))

  # one tensor at a time, in place
  def exchange(self: __torch__.Ops, x: List[Tensor], y: List[Tensor]) -> Tensor:
    for i in range(torch.len(x)):
      before = torch.clone(x[i])
      _0 = torch.copy_(x[i], y[i])
      _1 = torch.copy_(y[i], before)
    return x[0]

  # hyper: lr, beta1, beta2, eps, weight_decay; steps are one-element tensors and count up
  def adamw(self: __torch__.Ops, hyper: Tensor, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor]) -> Tensor:
    none = annotate(List[Tensor], [])
    torch._foreach_add_(steps, 1)
    torch._fused_adamw_(p, g, m, v, none, steps, lr=float(hyper[0]), beta1=float(hyper[1]), beta2=float(hyper[2]), weight_decay=float(hyper[4]), eps=float(hyper[3]), amsgrad=False, maximize=False)
    return hyper

  # hyper: lr, beta2, eps, clip_threshold, weight_decay
  def adafactor_apply(self: __torch__.Ops, hyper: Tensor, p: Tensor, update: Tensor) -> Tensor:
    lr = float(hyper[0])
    rms = torch.div(torch.linalg_vector_norm(update, 2), torch.pow(torch.numel(update), 0.5))
    torch.div_(update, torch.clamp(torch.div(rms, float(hyper[3])), 1.0))
    torch.mul_(update, lr)
    torch.add_(p, p, alpha=torch.neg(torch.mul(float(hyper[4]), lr)))
    return torch.sub_(p, update)

  # the second moments of the last two axes are the product of their rows' and columns' means
  def adafactor_matrices(self: __torch__.Ops, hyper: Tensor, p: List[Tensor], g: List[Tensor], rows: List[Tensor], columns: List[Tensor]) -> Tensor:
    beta2 = float(hyper[1])
    for i in range(torch.len(p)):
      square = torch.add(torch.square(g[i]), float(hyper[2]))
      row = torch.add_(torch.mul_(rows[i], beta2), torch.mean(square, [-1]), alpha=torch.sub(1.0, beta2))
      column = torch.add_(torch.mul_(columns[i], beta2), torch.mean(square, [-2]), alpha=torch.sub(1.0, beta2))
      r = torch.unsqueeze(torch.rsqrt(torch.div(row, torch.mean(row, [-1], True))), -1)
      c = torch.rsqrt(torch.unsqueeze(column, -2))
      _0 = (self).adafactor_apply(hyper, p[i], torch.mul(torch.mul(r, c), g[i]))
    return hyper

  def adafactor_vectors(self: __torch__.Ops, hyper: Tensor, p: List[Tensor], g: List[Tensor], squares: List[Tensor]) -> Tensor:
    beta2 = float(hyper[1])
    for i in range(torch.len(p)):
      square = torch.add(torch.square(g[i]), float(hyper[2]))
      mean = torch.add_(torch.mul_(squares[i], beta2), square, alpha=torch.sub(1.0, beta2))
      _0 = (self).adafactor_apply(hyper, p[i], torch.mul(torch.rsqrt(mean), g[i]))
    return hyper

  # --- evaluation ----------------------------------------------------------------------------------------------------
  # features (N, D) -> their mean (1, D) and below it the sums of products of deviations from it (D, D)
  def mean_and_comoments(self: __torch__.Ops, x: Tensor) -> Tensor:
    mean = torch.mean(x, [0], True)
    away = torch.sub(x, mean)
    return torch.cat([mean, torch.matmul(torch.transpose(away, 0, 1), away)], 0)

  # (N, C, H, W) -> the means over the cells of a grid (N, C grid grid)
  def averaged_over_grid(self: __torch__.Ops, x: Tensor, grid: Tensor) -> Tensor:
    return torch.flatten(torch.adaptive_avg_pool2d(x, [int(grid), int(grid)]), 1)

  # r of a covariance r r' (D, D); rounding makes eigenvalues of 0 negative
  def covariance_root(self: __torch__.Ops, a: Tensor) -> Tensor:
    values, vectors = torch.linalg_eigh(a)
    return torch.mul(vectors, torch.sqrt(torch.clamp(values, 0.)))

  # the trace of the root of the product of two covariances a = r r' and b = s s' (D, D), in float64: the eigenvalues of a b
  # are the squares of the singular values of r' s, whose own roots would be off by the root of the rounding
  def trace_of_root(self: __torch__.Ops, a: Tensor, b: Tensor) -> Tensor:
    product = torch.matmul(torch.transpose((self).covariance_root(a), 0, 1), (self).covariance_root(b))
    return torch.sum(torch.linalg_svdvals(product))

  def forward(self: __torch__.Ops, x: Tensor) -> Tensor:
    return x
