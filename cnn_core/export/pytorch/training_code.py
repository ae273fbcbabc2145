"""A recipe as a script that trains its network without the playground."""

from __future__ import annotations

from cnn_core.export.pytorch.augmentation_code import transforms
from cnn_core.export.pytorch.network_code import network_code
from cnn_core.models.layer import Shape
from cnn_core.models.presets import layers_of
from cnn_core.recipe import Recipe, TrainingSpec

# Data sets that torchvision has, with the arguments that choose training and test images
TORCHVISION = {
    **dict.fromkeys(("fashion_mnist", "fashion_mnist_sample"), ("FashionMNIST", "train=True", "train=False")),
    "mnist": ("MNIST", "train=True", "train=False"),
    "kmnist": ("KMNIST", "train=True", "train=False"),
    "cifar10": ("CIFAR10", "train=True", "train=False"),
    "cifar100": ("CIFAR100", "train=True", "train=False"),
    "svhn": ("SVHN", 'split="train"', 'split="test"'),
    "stl10": ("STL10", 'split="train"', 'split="test"'),
    "flowers102": ("Flowers102", 'split="train"', 'split="test"'),
}
VALIDATION = 0.1  # of the training images, where the recipe leaves it to the data set


def training_code(
    recipe: Recipe, input_shape: Shape, classes: int, mean: tuple[float, ...] = (), std: tuple[float, ...] = ()
) -> str:
    """Python source: the network, the data, the training loop as the recipe has it, the best epoch and its test.

    `mean` and `std` of each channel (0..1) normalise the images; without them nothing is shifted. Numbers will not be
    equal to the playground's bit for bit: torchvision's augmentations draw otherwise. Raises as `network_code` does.
    """
    network = network_code(layers_of(recipe.network), input_shape, classes)
    head, _, code = network.partition("import torch\nfrom torch import nn\n")
    parts = [head.rstrip() + "\n\n" + IMPORTS + "\n" + SETTINGS.format(recipe=recipe, t=recipe.training)]
    parts += [code.strip(), _data(recipe, input_shape, mean, std), _training(recipe.training)]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


IMPORTS = """import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, random_split
from torchvision import datasets
from torchvision.transforms import v2
"""
SETTINGS = """DATA = "data"  # folder of the images
EPOCHS, BATCH_SIZE, LEARNING_RATE = {t.epochs}, {t.batch_size}, {t.learning_rate!r}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed({recipe.seed})"""


def _data(recipe: Recipe, shape: Shape, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    channels, height, width = shape
    grey = ["v2.Grayscale(),"] if channels == 1 else ["v2.RGB(),"] if channels == 3 else []
    base = ["v2.ToImage(),", *grey, f"v2.Resize(({height}, {width})),"]
    last = ["v2.ToDtype(torch.float32, scale=True),"]
    if mean and std:
        last.append(f"v2.Normalize({[round(m, 4) for m in mean]}, {[round(s, 4) for s in std]}),")
    learning = [*base, *transforms(recipe.augment, height), *last]
    note = ""
    if name := TORCHVISION.get(recipe.data.dataset):
        train, test = (f"datasets.{name[0]}(DATA, {part}, download=True, transform=" for part in name[1:])
    else:
        train, test = (f'datasets.ImageFolder(f"{{DATA}}/{part}", transform=' for part in ("train", "test"))
        note = "# One folder a class below DATA/train and DATA/test: save your images so.\n"
    fraction = recipe.data.validation_fraction or VALIDATION
    return DATA_CODE.format(
        learning=_indented(learning),
        plain=_indented([*base, *last]),
        note=note,
        augmented=f"{train}learning)",
        whole=f"{train}plain)",
        test=f"{test}plain)",
        fraction=round(fraction, 4),
    )


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


DATA_CODE = """learning = v2.Compose([
{learning}
])
plain = v2.Compose([
{plain}
])

{note}augmented = {augmented}
whole = {whole}  # the same images as they are
count = round({fraction} * len(whole))  # of them for validation
training, validation = random_split(range(len(whole)), [len(whole) - count, count])
train_loader = DataLoader(Subset(augmented, list(training)), BATCH_SIZE, shuffle=True)
validation_loader = DataLoader(Subset(whole, list(validation)), BATCH_SIZE)
test_loader = DataLoader({test}, BATCH_SIZE)"""


def _training(training: TrainingSpec) -> str:
    smoothing = f"label_smoothing={training.label_smoothing}" if training.label_smoothing else ""
    every_step = training.schedule in ("cosine", "one_cycle")
    step = "        scheduler.step()\n" if every_step else ""
    return LOOP.format(
        loss=f"nn.CrossEntropyLoss({smoothing})",
        optimiser=_optimiser(training),
        schedule=_schedule(training),
        every_step=step,
        every_epoch="    scheduler.step()\n" if training.schedule == "step" else "",
        waiting=PATIENCE.format(patience=training.patience) if training.patience else "",
    )


def _optimiser(training: TrainingSpec) -> str:
    decay = f", weight_decay={training.weight_decay!r}" if training.weight_decay else ""
    if training.optimiser == "sgd":
        more = f", momentum={training.momentum!r}" if training.momentum else ""
        more += ", nesterov=True" if training.momentum and training.nesterov else ""
        return f"torch.optim.SGD(network.parameters(), LEARNING_RATE{more}{decay})"
    names = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
    if training.optimiser == "adamw" and not decay:
        decay = ", weight_decay=0.0"
    name = names.get(training.optimiser)
    if name is None:
        return f"torch.optim.AdamW(network.parameters(), LEARNING_RATE{decay})  # in place of {training.optimiser}"
    return f"torch.optim.{name}(network.parameters(), LEARNING_RATE{decay})"


def _schedule(training: TrainingSpec) -> str:
    if training.schedule == "step":
        how = f"StepLR(optimiser, {training.step_epochs}, {training.step_factor!r})"
    elif training.schedule == "cosine":
        how = "CosineAnnealingLR(optimiser, EPOCHS * len(train_loader))"
    elif training.schedule == "one_cycle":
        how = (
            "OneCycleLR(\n    optimiser, LEARNING_RATE, total_steps=EPOCHS * len(train_loader), "
            f"pct_start={training.warm_up!r}, cycle_momentum=False\n)"
        )
    else:
        return ""
    return f"scheduler = torch.optim.lr_scheduler.{how}\n"


PATIENCE = """    if epoch - best_epoch >= {patience}:  # no better for so long
        break
"""
LOOP = """network = Network().to(DEVICE)
criterion = {loss}
optimiser = {optimiser}
{schedule}

def evaluate(loader):
    \"\"\"Mean loss and accuracy.\"\"\"
    network.eval()
    loss = correct = seen = 0
    with torch.no_grad():
        for images, labels in loader:
            images, labels = images.to(DEVICE), labels.to(DEVICE)
            logits = network(images)
            loss += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
            seen += len(labels)
    return loss / seen, correct / seen


best_loss, best_epoch, best_weights = float("inf"), 0, None
for epoch in range(1, EPOCHS + 1):
    network.train()
    for images, labels in train_loader:
        optimiser.zero_grad()
        loss = criterion(network(images.to(DEVICE)), labels.to(DEVICE))
        loss.backward()
        optimiser.step()
{every_step}{every_epoch}    validation_loss, accuracy = evaluate(validation_loader)
    print(f"epoch {{epoch}}: validation loss {{validation_loss:.4f}}, accuracy {{accuracy:.2%}}")
    if validation_loss < best_loss:
        best_loss, best_epoch = validation_loss, epoch
        best_weights = copy.deepcopy(network.state_dict())
{waiting}
if best_weights is not None:  # the loss was never a number
    network.load_state_dict(best_weights)
test_loss, accuracy = evaluate(test_loader)
print(f"best epoch {{best_epoch}}, test loss {{test_loss:.4f}}, accuracy {{accuracy:.2%}}")
torch.save(network.state_dict(), "network.pt")"""
