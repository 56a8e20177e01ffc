//! A model for PyTorch: a safetensors file of weights with the names of PyTorch, and a Python file with the module that
//! they belong to.

use crate::artifact::card::ModelCard;
use crate::artifact::file::Artifact;
use crate::error::ExportError;
use crate::graph::node::{MaxPool, NodeId};
use crate::graph::topology::Graph;
use crate::layers::{Conv, Layer, layers};
use crate::parameters::{Parameter, Parameters, encode};
use crate::weights::Weights;
use aggconv::norm::NormAct;
use aggconv::pointwise::LayerNorm;
use dashnas_core::task::TaskKind;
use dashnas_data::transform;
use dashnas_data::transform::kind::Transform;
use dashnas_formats::array::Array;
use dashnas_formats::centers::Centers;
use std::collections::HashMap;

/// The module, with placeholders for the parts that depend on the network.
const TEMPLATE: &str = include_str!("module.py");

/// A line of every module, by which it is known to be written by this program.
pub const MARK: &str = "Written by dashnas; the weights are in the safetensors file beside this one.";

/// The function of the module for [`Transform::StandardizeSamples`].
const STANDARDIZE: &str = r#"def standardize(x):
    """Each channel of each sample to mean 0 and deviation 1 over its own points; a constant one to 0."""
    double = x.double()
    axes = tuple(range(2, x.dim()))
    mean = double.mean(axes, keepdim=True)
    std = double.std(axes, unbiased=False, keepdim=True)
    varies = (std > 1e-7 * mean.abs()) & (std > torch.finfo(torch.float32).tiny)
    return ((double - mean) / torch.where(varies, std, torch.ones_like(std))).to(x.dtype)


"#;

/// The function of the module for [`Transform::StandardizeSamples`] of samples with lengths of their own.
const STANDARDIZE_BEFORE_END: &str = r#"def standardize(x, lengths):
    """Each channel of each sample to mean 0 and deviation 1 over its own points before its end; a constant one to 0."""
    double = masked(x.double(), lengths)
    mean = mean_before_end(double, lengths).reshape(*x.shape[:2], *[1] * (x.dim() - 2))
    centered = masked(double - mean, lengths)
    std = mean_before_end(centered**2, lengths).sqrt().reshape(mean.shape)
    varies = (std > 1e-7 * mean.abs()) & (std > torch.finfo(torch.float32).tiny)
    return (centered / torch.where(varies, std, torch.ones_like(std))).to(x.dtype)


"#;

/// The functions of the module for samples with lengths of their own.
const MASKS: &str = r#"def masked(x, lengths, stride=1):
    """The value x at a stride, zero after the end of each sample."""
    ends = (lengths + stride - 1) // stride
    inside = torch.arange(x.shape[-1], device=x.device) < ends.reshape(-1, *[1] * (x.dim() - 1))
    return torch.where(inside, x, torch.zeros_like(x))


def lowered(x, lengths, stride=1):
    """The value x at a stride, so low after the end of each sample that it is in no maximum."""
    ends = (lengths + stride - 1) // stride
    inside = torch.arange(x.shape[-1], device=x.device) < ends.reshape(-1, *[1] * (x.dim() - 1))
    return torch.where(inside, x, torch.full_like(x, -1e30))


def last_before_end(x, lengths, stride=1):
    """The value of each channel at the last position before the end of each sample."""
    return x[torch.arange(len(x), device=x.device), :, (lengths + stride - 1) // stride - 1]


def mean_before_end(x, lengths, stride=1):
    """The mean of each channel over the positions before the end of each sample, for a value that is zero after it."""
    ends = (lengths + stride - 1) // stride
    return x.flatten(2).sum(2) / (ends.reshape(-1, 1) * (x[0, 0].numel() // x.shape[-1]))


"#;

/// The statement that subtracts from the inputs what they are large by, in double precision.
const LESS: &str = "        x = less(x, INPUT_CENTERS)\n";

/// The functions of the module for inputs and outputs that are relative to other numbers.
const CENTERS: &str = r#"def less(x, centers):
    """Each channel of x, in double precision, less its center; in single precision."""
    centers = torch.tensor(centers, dtype=torch.float64, device=x.device)
    return (x.double() - centers.reshape(-1, *[1] * (x.dim() - 2))).float()


def plus(y, centers):
    """Each output plus its center, in double precision."""
    return y.double() + torch.tensor(centers, dtype=torch.float64, device=y.device)


"#;

/// The statement that normalizes the inputs.
const NORMALIZE: &str = "        x = (x - self.input_mean) / self.input_scale\n";

/// The two files of an export for PyTorch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TorchFiles {
    /// The safetensors file of weights.
    pub weights: Vec<u8>,
    /// The Python file of the module.
    pub module: String,
}

/// Writes a model for PyTorch. `weights` is the name of the file of weights, which the module expects in its own
/// folder. If `raw`, the transforms and the normalization of the inputs, and the softmax, sigmoid or decoding of the
/// outputs are left out.
///
/// # Errors
/// [`ExportError::Weights`] if the model lacks weights, and [`ExportError::Transform`] if a transform cannot be
/// expressed.
///
/// A network for samples with lengths of their own takes the lengths as its second argument.
pub fn torch(artifact: &Artifact, weights: &str, raw: bool) -> Result<TorchFiles, ExportError> {
    let card = &artifact.card;
    let mut writer = ModuleWriter {
        weights: Weights(&artifact.parameters),
        graph: &card.graph,
        out: Parameters::new(),
        modules: HashMap::new(),
        steps: String::new(),
    };
    let dropout = card.training.hyperparameters.dropout;
    writer.network(&card.architecture.kernels, dropout)?;

    let mut buffers = String::new();
    let (before, after) = if raw { (None, None) } else { affine(card) };
    for (prefix, affine) in [("input", &before), ("output", &after)] {
        for (suffix, array) in affine.iter().flat_map(|(mean, scale)| [("mean", mean), ("scale", scale)]) {
            let name = format!("{prefix}_{suffix}");
            buffers += &format!("        self.register_buffer(\"{name}\", torch.zeros({:?}))\n", array.shape);
            writer.put(&name, array.shape.clone(), &array.data);
        }
    }
    let transforms = if raw { Vec::new() } else { transforms(card, &mut buffers)? };
    let masked = card.graph.is_masked();
    let standardize = transforms.iter().any(|line| line.contains("standardize"));
    let mut lines: String = transforms.iter().map(|line| format!("        x = {line}\n")).collect();
    let centers = if raw { &Centers::default() } else { card.centers() };
    if !centers.inputs.is_empty() {
        lines.insert_str(0, LESS);
    }
    let shape = if raw { card.network_shape() } else { card.read_as.clone() };
    let module = TEMPLATE
        .replace("{{task}}", &card.task.to_string())
        .replace("{{data}}", &python_string(&card.data))
        .replace("{{input}}", &format!("[N, {}]", list(shape)))
        .replace("{{units}}", if raw { "transformed and normalized" } else { "in the units of the training data" })
        .replace("{{centers}}\n", &constants(centers))
        .replace(
            "{{masks}}\n",
            &format!("{}{}", if centers.is_empty() { "" } else { CENTERS }, if masked { MASKS } else { "" }),
        )
        .replace(
            "{{standardize}}\n",
            match (standardize, masked) {
                (false, _) => "",
                (true, false) => STANDARDIZE,
                (true, true) => STANDARDIZE_BEFORE_END,
            },
        )
        .replace("{{arguments}}", if masked { "x, lengths" } else { "x" })
        .replace(
            "{{lengths}}",
            if masked { "; lengths: [N], the values of each sample; the rest is ignored" } else { "" },
        )
        .replace("        {{transforms}}\n", &lines)
        .replace(
            "{{classes}}",
            &card.classes.as_ref().map_or("None".into(), |names| {
                format!("[{}]", names.iter().map(|n| python_string(n)).collect::<Vec<_>>().join(", "))
            }),
        )
        .replace("{{weights}}", &python_string(weights))
        .replace("        {{buffers}}\n", &buffers)
        .replace("        {{modules}}\n", &writer.module_lists())
        .replace("        {{normalize}}\n", if before.is_some() { NORMALIZE } else { "" })
        .replace("        {{steps}}\n", &writer.steps)
        .replace("{{finish}}", finish(card.task, raw, after.is_some(), centers));
    // Written by a program whose weights are finite and sized as their shapes say.
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let weights = encode(&writer.out, Some(format))
        .map_err(|_| ExportError::Weights { name: weights.into(), shape: Vec::new() })?;
    Ok(TorchFiles { weights, module })
}

/// The constants of what is subtracted from the inputs and added to the outputs.
fn constants(centers: &Centers) -> String {
    let named = [("INPUT_CENTERS", &centers.inputs), ("OUTPUT_CENTERS", &centers.targets)];
    let line = |(name, centers): (&str, &Vec<f64>)| format!("{name} = {centers:?}\n");
    named.into_iter().filter(|(_, centers)| !centers.is_empty()).map(line).collect()
}

/// Returns the Python expression of the result of the outputs `y` of the network.
fn finish(task: TaskKind, raw: bool, scaled: bool, centers: &Centers) -> &'static str {
    match task {
        _ if raw => "y",
        TaskKind::Classification { .. } => "y.softmax(1)",
        TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => "y.sigmoid()",
        _ if !centers.targets.is_empty() && scaled => "plus(y * self.output_scale + self.output_mean, OUTPUT_CENTERS)",
        _ if !centers.targets.is_empty() => "plus(y, OUTPUT_CENTERS)",
        _ if scaled => "y * self.output_scale + self.output_mean",
        _ => "y",
    }
}

/// Returns the Python expression of each transform of `x`, and adds the orders of permutations to the buffers.
fn transforms(card: &ModelCard, buffers: &mut String) -> Result<Vec<String>, ExportError> {
    let mut shape = card.read_as.clone();
    let mut lines = Vec::new();
    for (i, &transform) in card.transforms.iter().enumerate() {
        lines.push(match transform {
            Transform::StandardizeSamples if card.graph.is_masked() => "standardize(x, lengths)".to_owned(),
            Transform::StandardizeSamples => "standardize(x)".to_owned(),
            Transform::Flatten => "x.flatten(2)".to_owned(),
            Transform::Permute => {
                let order = list(transform::order(shape[1..].iter().product()));
                // Not a weight, because the file of weights has real numbers only.
                *buffers += &format!(
                    "        self.register_buffer(\"order_{i}\", torch.tensor([{order}]), persistent=False)\n"
                );
                format!("x.flatten(2)[:, :, self.order_{i}].reshape(x.shape)")
            }
            Transform::Spherical => return Err(ExportError::Transform { transform: transform.name() }),
        });
        shape = transform::shape(shape, &[transform]);
    }
    Ok(lines)
}

/// Mean and scale of the inputs and of the outputs.
type Affines = (Option<(Array, Array)>, Option<(Array, Array)>);

fn affine(card: &ModelCard) -> Affines {
    (card.inputs.mean_and_scale(&card.network_shape()[1..]), card.targets.mean_and_scale())
}

/// Writes the modules, the state dictionary and the forward pass.
struct ModuleWriter<'a> {
    weights: Weights<'a>,
    graph: &'a Graph,
    out: Parameters,
    /// The modules of each kind, such as `convs`, in Python.
    modules: HashMap<String, Vec<String>>,
    /// The forward pass, in Python: one statement for each node.
    steps: String,
}

impl ModuleWriter<'_> {
    fn put(&mut self, name: &str, shape: Vec<usize>, values: &[f32]) {
        self.out.insert(name.to_owned(), Parameter { shape, values: values.to_vec() });
    }

    /// Writes the modules, the weights and the statements of the whole network.
    fn network(&mut self, kernels: &[[usize; 2]], dropout: f64) -> Result<(), ExportError> {
        let mut variables = Variables::new(self.graph);
        for (id, inputs, layer) in layers(self.graph, kernels) {
            let names: Vec<String> = inputs.iter().map(|&input| variables.of(input)).collect();
            let x = names.first().map_or("x", String::as_str);
            let value = match layer {
                Layer::Input if self.graph.is_masked() => Some("masked(x, lengths)".to_owned()),
                Layer::Input => None,
                Layer::Conv(conv) => Some(self.conv(&conv, x)?),
                Layer::Norm { name, channels } => Some(format!("{}({x})", self.norm(&name, channels)?)),
                Layer::LayerNorm { name, channels } => {
                    let norm = self.layer_norm(&name, channels)?;
                    // PyTorch normalizes the last axis.
                    Some(format!("{norm}({x}.movedim(1, -1)).movedim(-1, 1)"))
                }
                Layer::LayerScale { name, channels } => {
                    let axes = ", None".repeat(self.graph.dims());
                    Some(format!("{x} * {}[:{axes}]", self.layer_scale(&name, channels)?))
                }
                Layer::Relu => Some(format!("torch.relu({x})")),
                Layer::Gelu => Some(format!("F.gelu({x})")),
                Layer::Dropout => {
                    self.modules.insert("dropout".into(), vec![format!("nn.Dropout({dropout})")]);
                    Some(format!("self.dropout({x})"))
                }
                Layer::Sum => Some(names.join(" + ")),
                Layer::Concat => Some(format!("torch.cat([{}], 1)", names.join(", "))),
                Layer::MaxPool(pool) => {
                    let stride = self.graph.stride(inputs[0]);
                    let x =
                        if self.graph.is_masked() { format!("lowered({x}, lengths, {stride})") } else { x.to_owned() };
                    Some(self.max_pool(pool, &x))
                }
                Layer::Resize { times } => Some(self.resize(times, x, names.get(1).map_or("x", String::as_str))),
                Layer::Mean if self.graph.is_masked() => {
                    Some(format!("mean_before_end({x}, lengths, {})", self.graph.stride(inputs[0])))
                }
                Layer::Mean => Some(format!("{x}.flatten(2).mean(2)")),
                Layer::Last if self.graph.is_masked() => {
                    Some(format!("last_before_end({x}, lengths, {})", self.graph.stride(inputs[0])))
                }
                Layer::Last => Some(format!("{x}[:, :, -1]")),
                Layer::Linear { channels } => {
                    self.head(channels)?;
                    Some(format!("self.head({x})"))
                }
            };
            let variable = variables.assign(id, inputs);
            let masked = self.graph.is_masked_after(id);
            if let Some(value) = value.map(|v| match masked {
                true => format!("masked({v}, lengths, {})", self.graph.stride(id)),
                false => v,
            }) {
                self.steps += &format!("        {variable} = {value}\n");
            }
        }
        Ok(())
    }

    /// Adds a module to the list of its kind, given the name of its weights in the model; returns its name in Python.
    fn module(&mut self, name: &str, text: String) -> String {
        let (kind, index) = name.split_once('.').unwrap_or((name, "0"));
        self.modules.entry(kind.to_owned()).or_default().push(text);
        format!("self.{kind}[{index}]")
    }

    /// Returns the statements that make the modules.
    fn module_lists(&self) -> String {
        let statement = |(kind, modules): (&str, &Vec<String>)| match (kind, &modules[..]) {
            ("head" | "dropout", [one]) => format!("        self.{kind} = {one}\n"),
            ("layer_scales", factors) => {
                let lines: String = factors.iter().map(|factor| format!("            {factor},\n")).collect();
                format!("        self.{kind} = nn.ParameterList([\n{lines}        ])\n")
            }
            _ => {
                let lines: String = modules.iter().map(|module| format!("            {module},\n")).collect();
                format!("        self.{kind} = nn.ModuleList([\n{lines}        ])\n")
            }
        };
        let kinds = ["convs", "pointwise", "unsearched", "norms", "layer_norms", "layer_scales", "dropout", "head"];
        kinds.iter().filter_map(|kind| Some((*kind, self.modules.get(*kind)?))).map(statement).collect()
    }

    fn conv(&mut self, conv: &Conv, x: &str) -> Result<String, ExportError> {
        let dims = self.graph.dims();
        let [weight, bias] = self.weights.conv(conv, dims)?;
        let Conv { name, channels: [c_in, c_out], kernel, dilation, stride, groups, .. } = conv;
        self.put(&format!("{name}.weight"), [&[*c_out, *c_in / groups][..], &vec![*kernel; dims]].concat(), weight);
        self.put(&format!("{name}.bias"), vec![*c_out], bias);
        let [before, after] = conv.padding();
        // PyTorch's own padding is the same on both sides.
        let padding = if before == after { before } else { 0 };
        let groups = if *groups == 1 { String::new() } else { format!(", groups={groups}") };
        let text = format!(
            "nn.Conv{dims}d({c_in}, {c_out}, {kernel}, stride={stride}, padding={padding}, dilation={dilation}{groups})"
        );
        let module = self.module(name, text);
        Ok(if before == after {
            format!("{module}({x})")
        } else {
            let sides = vec![format!("{before}, {after}"); dims].join(", ");
            format!("{module}(F.pad({x}, ({sides})))")
        })
    }

    fn max_pool(&self, MaxPool { kernel, stride }: MaxPool, x: &str) -> String {
        let d = self.graph.dims();
        let [before, after] = MaxPool { kernel, stride }.padding();
        let sides = vec![format!("{before}, {after}"); d].join(", ");
        format!("F.max_pool{d}d(F.pad({x}, ({sides}), value=-torch.inf), {kernel}, {stride})")
    }

    /// Repeats each position so many times, and cuts off what is beyond the positions of `like`.
    fn resize(&self, times: usize, x: &str, like: &str) -> String {
        let axes = 2..2 + self.graph.dims();
        let repeated = axes.clone().fold(x.to_owned(), |x, axis| format!("{x}.repeat_interleave({times}, {axis})"));
        let cut = axes.map(|axis| format!(":{like}.shape[{axis}]")).collect::<Vec<_>>().join(", ");
        format!("{repeated}[:, :, {cut}]")
    }

    fn norm(&mut self, name: &str, channels: usize) -> Result<String, ExportError> {
        let values = self.weights.norm(name, channels)?;
        for (part, values) in ["weight", "bias", "running_mean", "running_var"].into_iter().zip(values) {
            self.put(&format!("{name}.{part}"), vec![channels], values);
        }
        let text = format!("nn.BatchNorm{}d({channels}, eps={})", self.graph.dims(), NormAct::EPSILON);
        Ok(self.module(name, text))
    }

    fn layer_norm(&mut self, name: &str, channels: usize) -> Result<String, ExportError> {
        let values = self.weights.layer_norm(name, channels)?;
        for (part, values) in ["weight", "bias"].into_iter().zip(values) {
            self.put(&format!("{name}.{part}"), vec![channels], values);
        }
        Ok(self.module(name, format!("nn.LayerNorm({channels}, eps={})", LayerNorm::EPSILON)))
    }

    fn layer_scale(&mut self, name: &str, channels: usize) -> Result<String, ExportError> {
        let values = self.weights.layer_scale(name, channels)?;
        self.put(name, vec![channels], values);
        Ok(self.module(name, format!("nn.Parameter(torch.zeros({channels}))")))
    }

    fn head(&mut self, [features, outputs]: [usize; 2]) -> Result<(), ExportError> {
        let (weight, bias) = self.weights.head([features, outputs])?;
        let d = self.graph.dims();
        let (text, axes) = if self.graph.is_dense() {
            (format!("nn.Conv{d}d({features}, {outputs}, 1)"), vec![1; d])
        } else {
            (format!("nn.Linear({features}, {outputs})"), Vec::new())
        };
        self.put("head.weight", [&[outputs, features][..], &axes].concat(), &weight);
        self.put("head.bias", vec![outputs], bias);
        self.modules.insert("head".into(), vec![text]);
        Ok(())
    }
}

/// The Python variables that hold the values of nodes. After the last use of a value its variable is free for another.
struct Variables<'a> {
    graph: &'a Graph,
    /// The node whose value each variable holds.
    held: Vec<Option<NodeId>>,
}

impl<'a> Variables<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self { graph, held: Vec::new() }
    }

    fn of(&self, node: NodeId) -> String {
        let place = self.held.iter().position(|held| *held == Some(node)).unwrap_or_default();
        Self::name(place)
    }

    fn name(place: usize) -> String {
        ["x", "y", "z"].get(place).map_or_else(|| format!("x{place}"), |name| (*name).to_owned())
    }

    /// Chooses the variable for the value of a node with these inputs: the first one that is free after them.
    fn assign(&mut self, node: NodeId, inputs: &[NodeId]) -> String {
        let ended = |held: &Option<NodeId>| {
            held.is_some_and(|held| inputs.contains(&held) && self.graph.last_use(held) == node)
        };
        self.held.iter_mut().filter(|held| ended(held)).for_each(|held| *held = None);
        let place = self.held.iter().position(Option::is_none).unwrap_or(self.held.len());
        self.held.resize(self.held.len().max(place + 1), None);
        self.held[place] = Some(node);
        Self::name(place)
    }
}

fn list(sizes: Vec<usize>) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// Returns a Python string literal. Python has the escapes of JSON.
fn python_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
